// The frame of the page: width of the navigation, printing, theme, and messages for failed requests.
const root = document.documentElement;

function say(message) {
  document.dispatchEvent(new CustomEvent("toast", { detail: { message, level: "error" } }));
}

document.addEventListener("click", (event) => {
  const fold = event.target.closest("[data-rail-fold]");
  if (!fold) return;
  root.dataset.rail = fold.dataset.railFold;
  localStorage.setItem("rail", root.dataset.rail);
  document.querySelector(`[data-rail-fold]:not([data-rail-fold="${root.dataset.rail}"])`)?.focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) print();
});

// The form stores the theme on the server; this applies it without reloading the page.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-theme-form]");
  if (!form || !event.submitter) return;
  event.preventDefault();
  root.dataset.bsTheme = event.submitter.value;
  form.querySelectorAll("[name=theme]").forEach((button) => {
    button.setAttribute("aria-current", button === event.submitter);
  });
  fetch(form.action, { method: "POST", body: new FormData(form, event.submitter), redirect: "manual" });
  form.closest("[popover]")?.hidePopover();
});

// After the session has ended the response is the sign-in page. Load it as a page, never swap it into a fragment.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
  event.detail.shouldSwap = false;
  location.reload();
});

// An error response is a whole page: show its message as a toast and leave the page unchanged.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status < 400 || !xhr.responseText.includes("<p data-say>")) return;
  event.detail.shouldSwap = false;
  event.detail.isError = true;
});

document.addEventListener("htmx:responseError", (event) => {
  const answer = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  const sentence = answer.querySelector("[data-say]")?.textContent.trim();
  say(sentence || document.getElementById("toast-words").dataset.failed);
});

// A failed poll shows no message: the next poll tries again.
document.addEventListener("htmx:sendError", (event) => {
  const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
  if (!polls) say(document.getElementById("toast-words").dataset.away);
});

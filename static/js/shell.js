// The frame: rail width, printing, theme at once, and plain words when a request fails.
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

// The server keeps the choice; the page need not be loaded again to show it.
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

// A session that ended answers with the sign-in page: show it whole, never inside a fragment.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.xhr.responseURL.includes("/accounts/login/")) return;
  event.detail.shouldSwap = false;
  location.reload();
});

// An error page stands alone: its own sentence goes into a toast, and what was on the screen stays.
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

// A poll that fails while the line is away stays silent: it asks again anyway.
document.addEventListener("htmx:sendError", (event) => {
  const polls = event.detail.elt.getAttribute("hx-trigger")?.includes("every");
  if (!polls) say(document.getElementById("toast-words").dataset.away);
});

// The dialog: htmx loads its content into #dialog-root, and this script opens it. Esc, the backdrop and [data-dialog-close] close it.
const dialog = document.getElementById("dialog");
const content = document.getElementById("dialog-root");
const FIELD = "input:not([type=hidden], :disabled), select:not(:disabled), textarea:not(:disabled)";

function focusInside() {
  const first = content.querySelector("[data-focus-me]") ?? content.querySelector("[autofocus]")
    ?? [...content.querySelectorAll(FIELD)].find((field) => field.checkVisibility())
    ?? content.querySelector(".dialog-title");
  first?.focus();
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target !== content || !content.hasChildNodes()) return;
  if (!dialog.open) dialog.showModal();
  focusInside();
});

document.addEventListener("dialog-close", () => dialog.close());

document.addEventListener("click", (event) => {
  const open = event.target.closest("dialog[open]");
  if (!open) return;
  const closer = event.target.closest("[data-dialog-close]");
  if (!closer && event.target !== open) return;
  event.preventDefault();
  open.close();
});

dialog.addEventListener("close", () => {
  // Drop responses to preview requests that are still under way: their target is removed below.
  for (const counting of content.querySelectorAll(".effect.htmx-request")) {
    counting.addEventListener("htmx:beforeOnLoad", (event) => event.preventDefault());
  }
  content.replaceChildren();
  // The browser returns the focus to the element that opened the dialog. If a swap has removed that, focus the page.
  setTimeout(() => document.activeElement === document.body && document.getElementById("main").focus());
});

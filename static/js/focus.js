// Moves the focus to what must be read first, such as the errors of a refused form.
function focusFirst(root) {
  root.querySelector("[data-focus-me]")?.focus();
}

focusFirst(document);
document.addEventListener("htmx:afterSettle", (event) => focusFirst(event.detail.target));

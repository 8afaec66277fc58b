// Moves the focus to [data-focus-me], such as the error summary of a form, so that screen readers read it first.
function focusFirst(root) {
  root.querySelector("[data-focus-me]")?.focus();
}

focusFirst(document);
document.addEventListener("htmx:afterSettle", (event) => focusFirst(event.detail.target));

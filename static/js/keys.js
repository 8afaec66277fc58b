// Single-key shortcuts. Inactive while typing, in dialogs and menus, and for users who have turned them off (WCAG 2.1.4).
const map = document.getElementById("key-map");
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

function busy(event) {
  return event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(TYPING)
    || document.querySelector("dialog[open], [popover]:popover-open");
}

function rowLinks() {
  return [...document.querySelectorAll(".row-link")];
}

function move(step) {
  const links = rowLinks();
  const at = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  const next = links[Math.max(0, at + step)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function select() {
  const row = document.activeElement.closest?.("tr");
  row?.querySelector("[name=ids]")?.click();
}

function press(key) {
  const button = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => one.checkVisibility());
  button?.click();
  return Boolean(button);
}

const ACTS = {
  "/": () => document.getElementById("search-everywhere").focus(),
  "?": () => map.showModal(),
  j: () => move(1),
  k: () => move(-1),
  x: select,
};

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.shortcuts === "off" || busy(event)) return;
  const act = ACTS[event.key];
  if (act) act();
  else if (!press(event.key)) return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys-open]")) map.showModal();
});

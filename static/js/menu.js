// Menus: native popovers, placed under their button, navigated with the arrow keys.
const GAP = 4;

function place(menu, button) {
  const box = button.getBoundingClientRect();
  const below = box.bottom < innerHeight * 0.6;
  const fromRight = box.left > innerWidth / 2;
  menu.dataset.placed = "";
  menu.style.top = below ? `${box.bottom + GAP}px` : "auto";
  menu.style.bottom = below ? "auto" : `${innerHeight - box.top + GAP}px`;
  menu.style.left = fromRight ? "auto" : `${Math.max(box.left, GAP)}px`;
  menu.style.right = fromRight ? `${Math.max(document.documentElement.clientWidth - box.right, GAP)}px` : "auto";
}

// The width is known only when the menu is open; then a menu that would leave the window is moved inside.
function keepInside(menu) {
  const { left, width } = menu.getBoundingClientRect();
  const furthest = document.documentElement.clientWidth - width - GAP;
  if (left >= GAP && left <= furthest) return;
  menu.style.left = `${Math.max(GAP, Math.min(left, furthest))}px`;
  menu.style.right = "auto";
}

function items(menu) {
  return [...menu.querySelectorAll(".menu-item:not(:disabled)")];
}

document.addEventListener("beforetoggle", (event) => {
  if (!event.target.matches("[data-menu]") || event.newState !== "open") return;
  place(event.target, document.querySelector(`[popovertarget="${event.target.id}"]`));
}, true);

document.addEventListener("toggle", (event) => {
  if (!event.target.matches("[data-menu]") || event.newState !== "open") return;
  keepInside(event.target);
  items(event.target)[0]?.focus();
}, true);

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu]");
  if (!menu) return;
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  all[next % all.length]?.focus();
});

// Close the menu once an item is chosen.
document.addEventListener("click", (event) => {
  if (event.target.closest(".menu-item")) event.target.closest("[data-menu]")?.hidePopover();
});

addEventListener("scroll", () => {
  document.querySelectorAll("[data-menu]:popover-open").forEach((menu) => menu.hidePopover());
}, { passive: true });

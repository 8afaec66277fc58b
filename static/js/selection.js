// The selection in a list: ids of rows, or the whole filter with exceptions. It is kept in sessionStorage over paging
// and sorting, and cleared when the filter changes. Elements: the list [data-selection="canonical filter"]; its number
// of rows [data-total] with data-capped, which may be loaded later; the checkboxes [name=ids]; the bar #selection-bar.
const STORE = `selection:${location.pathname}`;
const bar = document.getElementById("selection-bar");
const number = new Intl.NumberFormat(document.documentElement.lang);
let chosen = load();
let lastBox = null;

function load() {
  const kept = JSON.parse(sessionStorage.getItem(STORE) ?? "{}");
  const { filter = null, all = false, capped = false } = kept;
  return { filter, all, total: kept.total ?? NaN, capped, ids: new Set(kept.ids), exclude: new Set(kept.exclude) };
}

function keep() {
  sessionStorage.setItem(STORE, JSON.stringify({ ...chosen, ids: [...chosen.ids], exclude: [...chosen.exclude] }));
}

const list = () => document.querySelector("[data-selection]");
const boxes = () => [...list().querySelectorAll("tbody [name=ids]")];
const count = () => (chosen.all ? chosen.total - chosen.exclude.size : chosen.ids.size);
const has = (id) => (chosen.all ? !chosen.exclude.has(id) : chosen.ids.has(id));

function set(id, on) {
  const [group, add] = chosen.all ? [chosen.exclude, !on] : [chosen.ids, on];
  if (add) group.add(id);
  else group.delete(id);
}

function clear() {
  chosen = { filter: list().dataset.selection, all: false, total: NaN, capped: false, ids: new Set(), exclude: new Set() };
  noteTotal();
}

function noteTotal() {
  const counted = document.querySelector("[data-total]");
  if (counted) Object.assign(chosen, { total: Number(counted.dataset.total), capped: counted.dataset.capped === "true" });
}

function endWhenFilterChanged() {
  const filter = list().dataset.selection;
  if (chosen.filter === filter) return;
  const had = chosen.all || chosen.ids.size > 0;
  clear();
  if (!had) return;
  const message = document.getElementById("toast-words").dataset.cleared;
  document.dispatchEvent(new CustomEvent("toast", { detail: { message } }));
}

function showBoxes() {
  const all = boxes();
  all.forEach((box) => {
    box.removeAttribute("form"); // This script fills the fields of the bar, so the checkboxes themselves must not be sent too.
    box.checked = has(box.value);
  });
  const on = all.filter((box) => box.checked).length;
  document.querySelectorAll("[data-select-page]").forEach((head) => {
    head.checked = on > 0 && on === all.length;
    head.indeterminate = on > 0 && on < all.length;
  });
}

function words(n) {
  const more = chosen.capped && (chosen.all || n >= chosen.total) ? "+" : "";
  return number.format(n) + more;
}

function fill(name, value, used) {
  const field = bar.querySelector(`[data-selection-${name}]`);
  field.value = value;
  field.disabled = !used;
}

function showBar() {
  const n = count();
  bar.classList.toggle("is-shown", n > 0);
  bar.querySelector("[data-selection-count]").textContent = n === 1 ? bar.dataset.one : bar.dataset.many.replace("{n}", words(n));
  const everything = bar.querySelector("[data-selection-all]");
  everything.hidden = chosen.all || !(n < chosen.total);
  everything.textContent = bar.dataset.all.replace("{n}", words(chosen.total));
  fill("ids", [...chosen.ids].join(","), !chosen.all);
  fill("filter", chosen.filter, chosen.all);
  fill("exclude", [...chosen.exclude].join(","), chosen.all && chosen.exclude.size > 0);
}

function show() {
  if (!list()) return;
  endWhenFilterChanged();
  noteTotal();
  if (chosen.all && count() <= 0) clear();
  showBoxes();
  showBar();
  keep();
}

function toggle(box, range) {
  const all = boxes();
  const [from, to] = [all.indexOf(lastBox), all.indexOf(box)];
  const touched = range && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
  touched.forEach((one) => set(one.value, box.checked));
  lastBox = box;
}

if (bar) {
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("[name=ids]");
    if (box) toggle(box, event.shiftKey);
    else if (event.target.closest("[data-select-page]")) boxes().forEach((one) => set(one.value, event.target.checked));
    else if (event.target.closest("[data-selection-all]")) Object.assign(chosen, { all: true, ids: new Set() });
    else if (event.target.closest("[data-selection-clear]")) clear();
    else return;
    show();
  });
  document.addEventListener("selection-clear", () => {
    clear();
    show();
  });
  document.addEventListener("htmx:afterSwap", show);
  document.addEventListener("htmx:historyRestore", show);
  addEventListener("pageshow", show);
  show();
}

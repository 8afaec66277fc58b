// Toasts: messages in the page, and those of the event "toast" (the header HX-Trigger).
const list = document.getElementById("toasts");
const home = list.parentElement;
const template = document.getElementById("toast-template");
const SHORTEST = 8000;
const WITH_UNDO = 15000;

function lifetime(item) {
  if (item.dataset.level === "error") return Infinity;
  return item.querySelector("form") ? WITH_UNDO : SHORTEST;
}

function live(item) {
  let timer;
  const stop = () => clearTimeout(timer);
  const start = () => {
    stop();
    if (Number.isFinite(lifetime(item))) timer = setTimeout(() => item.remove(), lifetime(item));
  };
  item.addEventListener("pointerenter", stop);
  item.addEventListener("focusin", stop);
  item.addEventListener("pointerleave", start);
  item.addEventListener("focusout", start);
  item.querySelector(".toast-close").addEventListener("click", () => item.remove());
  item.addEventListener("htmx:afterRequest", (event) => event.detail.successful && item.remove());
  start();
}

function build({ message, level = "info", undo_url, link_url, link_text }) {
  const item = template.content.firstElementChild.cloneNode(true);
  item.dataset.level = level;
  const icons = item.querySelectorAll("[data-icon]");
  icons.forEach((icon) => icon.dataset.icon === level && item.prepend(icon.firstElementChild));
  icons.forEach((icon) => icon.remove());
  item.querySelector(".toast-message").textContent = message;
  const form = item.querySelector("form");
  const link = item.querySelector("a");
  if (undo_url) {
    form.action = undo_url;
    form.setAttribute("hx-post", undo_url);
  } else {
    form.remove();
  }
  if (link_url) {
    link.href = link_url;
    link.textContent = link_text;
  } else {
    link.remove();
  }
  return item;
}

document.addEventListener("toast", (event) => {
  const item = build(event.detail);
  // Everything outside an open modal dialog is inert, so the list of toasts is moved into the dialog.
  const place = document.querySelector("dialog:modal") ?? home;
  if (list.parentElement !== place) place.append(list);
  list.append(item);
  htmx.process(item);
  live(item);
});

document.addEventListener("close", () => home.contains(list) || home.append(list), true);
list.querySelectorAll(".toast-item").forEach(live);

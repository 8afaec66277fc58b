// Shows fields that depend on another one: data-reveal-when="field=value,value". Hidden fields are disabled, so they are not sent.
function update(part) {
  const [name, values] = part.dataset.revealWhen.split("=");
  const control = part.closest("form").elements[name];
  const shown = values.split(",").includes(control?.value);
  part.toggleAttribute("data-revealed", shown);
  part.querySelectorAll("input, select, textarea").forEach((field) => {
    field.disabled = !shown;
  });
}

function updateAll(root) {
  root.querySelectorAll("[data-reveal-when]").forEach(update);
}

updateAll(document);
document.addEventListener("htmx:afterSwap", (event) => updateAll(event.detail.target));
document.addEventListener("change", (event) => event.target.form && updateAll(event.target.form));

// Fields that belong to certain answers: data-reveal-when="field=value,value". Hidden ones are disabled, so not sent.
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

// A rich-text editor for textarea[data-rich="id"]. The text is copied into the textarea, and the HTML into the hidden
// field with that id. Without this script the textarea is used as it is. The server sanitises the HTML.
const BUTTONS = [["bold", "B"], ["italic", "I"], ["insertUnorderedList", "•"], ["insertOrderedList", "1."], ["createLink", "↗"]];

function words(area) {
  return JSON.parse(area.dataset.words);
}

function escaped(text) {
  const box = document.createElement("div");
  box.textContent = text;
  return box.innerHTML;
}

function paragraphs(text) {
  return text.split(/\n{2,}/).map((part) => `<p>${escaped(part).replaceAll("\n", "<br>") || "<br>"}</p>`).join("");
}

function act(command, text, label) {
  text.focus();
  const value = command === "createLink" ? prompt(label, "https://") : null;
  if (command !== "createLink" || value) document.execCommand(command, false, value);
}

function button(command, face, label, text) {
  const one = document.createElement("button");
  Object.assign(one, { type: "button", className: "btn btn-sm btn-quiet", textContent: face, title: label });
  one.setAttribute("aria-label", label);
  one.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the selection in the text
  one.addEventListener("click", () => act(command, text, label));
  return one;
}

function mergeFields(labels, text) {
  const choice = document.createElement("select");
  choice.className = "form-select";
  choice.setAttribute("aria-label", labels.insert);
  choice.add(new Option(labels.insert, ""));
  Object.entries(labels.fields).forEach(([name, label]) => choice.add(new Option(label, `{{ ${name} }}`)));
  choice.addEventListener("change", () => {
    text.focus();
    document.execCommand("insertText", false, choice.value);
    choice.value = "";
  });
  return choice;
}

function setUp(area) {
  const html = document.getElementById(area.dataset.rich);
  const labels = words(area);
  const editor = document.createElement("div");
  const bar = document.createElement("div");
  const text = document.createElement("div");
  editor.className = "editor";
  bar.className = "editor-bar";
  text.className = "editor-text";
  text.contentEditable = "true";
  text.setAttribute("role", "textbox");
  text.setAttribute("aria-multiline", "true");
  text.setAttribute("aria-label", area.labels[0]?.textContent ?? "");
  text.innerHTML = html.value || paragraphs(area.value);
  document.execCommand("defaultParagraphSeparator", false, "p");
  bar.append(...BUTTONS.map(([command, face]) => button(command, face, labels[command], text)), mergeFields(labels, text));
  editor.append(bar, text);
  // Paste plain text only: formatting from elsewhere would be lost when the server sanitises it.
  text.addEventListener("paste", (event) => {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  });
  text.addEventListener("input", () => {
    area.value = text.innerText;
    html.value = text.innerText.trim() ? text.innerHTML : "";
  });
  area.labels[0]?.addEventListener("click", () => text.focus());
  area.hidden = true;
  area.after(editor);
}

function setUpAll(root) {
  root.querySelectorAll?.("textarea[data-rich]:not([hidden])").forEach(setUp);
}

document.addEventListener("htmx:load", (event) => setUpAll(event.detail.elt));
setUpAll(document);

// One line across the page.

export function render({model}) {
  const strip = document.createElement("div");
  const words = document.createElement("span");
  const close = document.createElement("button");
  close.textContent = "\u2715";
  close.ariaLabel = "Close";
  close.onclick = () => { model.text = ""; };
  strip.append(words, close);
  const show = () => {
    words.textContent = model.text;
    strip.className = `line ${model.kind}`;
    strip.role = model.kind === "error" ? "alert" : "status";
    close.hidden = !model.closable;
  };
  for (const name of ["text", "kind", "closable"]) model.on(name, show);
  show();
  return strip;
}

// A row of buttons. One that stays is never taken out of the page, so that it keeps the focus.

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  back: "M20 12H5m6-6-6 6 6 6",
  chat: "M4 5h16v11H9l-5 4z",
  check: "M5 5h14v14H5zm3 7 3 3 5-6",
  close: "m6 6 12 12m0-12L6 18",
  hourglass: "M7 4h10M7 20h10M8 4c0 6 8 6 8 12v4m0-16c0 6-8 6-8 12v4",
  pause: "M8 5v14m8-14v14",
  play: "m8 5 11 7-11 7z",
  tune: "M4 7h8m4-3v6m0-3h4M4 17h2m4-3v6m0-3h10",
};

function drawn(icon) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.ariaHidden = "true";
  path.setAttribute("d", ICONS[icon]);
  svg.append(path);
  return svg;
}

export function render({model}) {
  const row = document.createElement("div"), buttons = new Map();
  row.className = "row";
  const made = (key) => {
    const button = document.createElement("button");
    button.type = "button";
    button.onclick = () => model.send_msg(key);
    buttons.set(key, button);
    return button;
  };
  const show = () => {
    const offered = model.tools.map(([key, label, icon, danger, disabled]) => {
      const button = buttons.get(key) ?? made(key);
      button.className = danger ? "danger" : "";
      button.disabled = disabled;
      button.replaceChildren(...(icon ? [drawn(icon)] : []), label);
      return button;
    });
    for (const button of [...row.children]) if (!offered.includes(button)) button.remove();
    // One that is moved would lose the focus.
    offered.forEach((button, at) => {
      if (row.children[at] !== button) row.insertBefore(button, row.children[at] ?? null);
    });
  };
  model.on("tools", show);
  show();
  return row;
}

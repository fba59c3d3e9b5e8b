// A list as an accessible table. Rows are kept by their keys, so that focus and place survive.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function words(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  for (let i = 0; i < 3; i++) {
    const [large, size] = UNITS[i], [small, step] = UNITS[i + 1];
    const many = Math.floor(whole / size), rest = Math.floor((whole % size) / step);
    if (many) return `${many} ${large} ${rest} ${small}`;
  }
  return `${whole} s`;
}

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

function time(moment) {
  const date = new Date(moment), today = new Date().toDateString() === date.toDateString();
  const made = element("time", "", today ? date.toLocaleTimeString() : date.toLocaleString());
  made.dateTime = date.toISOString();
  made.title = date.toLocaleString(undefined, {dateStyle: "full", timeStyle: "long"});
  return made;
}

export function render({model}) {
  const KINDS = {
    text: (value) => [value],
    number: (value) => [value.toLocaleString()],
    time: (value) => [time(value)],
    size: (value) => [`${(value / 2 ** 20).toLocaleString(undefined, {maximumFractionDigits: 0})} MiB`],
    percent: (value) => [`${(value * 100).toLocaleString(undefined, {maximumFractionDigits: 0})} %`],
    lag: (value) => [`${(value * 1000).toLocaleString(undefined, {maximumFractionDigits: 0})} ms`],
    since: (value, row) => {
      const made = element("span", "since", words((Date.now() + model.ahead - value) / 1000));
      made.began = value;
      return [made];
    },
    mark: ([name, kind]) => [element("span", `mark ${kind}`, element("i", "dot"), name)],
    link: ([label, session]) => {
      const made = element("a", "", label);
      made.href = `?session=${encodeURIComponent(session)}`;
      made.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        model.send_msg(["open", session]);
      };
      return [made];
    },
    actions: (names, key) => names.map(([action, label, danger]) => {
      const made = element("button", danger ? "danger" : "", label);
      made.type = "button";
      made.onclick = () => model.send_msg([action, key]);
      return made;
    }),
  };

  const listing = element("div", "frame"), table = element("table", "");
  const empty = element("p", "empty"), head = element("tr", ""), body = element("tbody", "");
  const caption = element("caption", "");
  table.append(caption, element("thead", "", head), body);
  listing.append(table, empty);
  listing.tabIndex = 0;
  listing.role = "region";
  const rows = new Map();

  const fill = (td, kind, value, key) => {
    const text = JSON.stringify(value);
    if (td.held === text) return;
    td.held = text;
    td.className = kind;
    td.replaceChildren(...(value === null ? ["—"] : KINDS[kind](value, key)));
  };
  const show = () => {
    caption.textContent = listing.ariaLabel = model.label;
    empty.textContent = model.empty;
    empty.hidden = model.rows.length > 0;
    table.hidden = !model.rows.length;
    const titles = model.columns.map(([title]) => title).join("\n");
    if (head.held !== titles) {
      head.held = titles;
      head.replaceChildren(...model.columns.map(([title, kind]) => {
        const th = element("th", kind, title);
        th.scope = "col";
        return th;
      }));
    }
    const kept = new Set(model.rows.map(([key]) => key));
    for (const [key, tr] of rows) {
      if (!kept.has(key)) {
        tr.remove();
        rows.delete(key);
      }
    }
    model.rows.forEach(([key, ...cells], at) => {
      let tr = rows.get(key);
      if (!tr) {
        tr = element("tr", "", ...cells.map(() => element("td", "")));
        rows.set(key, tr);
      }
      cells.forEach((value, i) => fill(tr.children[i], model.columns[i][1], value, key));
      if (body.children[at] !== tr) body.insertBefore(tr, body.children[at] ?? null);
    });
  };
  for (const name of ["rows", "columns", "empty", "label"]) model.on(name, show);
  show();
  const clock = setInterval(() => {
    for (const each of body.querySelectorAll(".since > .since")) {
      each.textContent = words((Date.now() + model.ahead - each.began) / 1000);
    }
  }, 1000);
  model.on("remove", () => clearInterval(clock));
  return listing;
}

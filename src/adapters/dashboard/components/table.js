// The table of sessions: Perspective, fed row by row, with cells painted by what they hold.

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
const ARRANGED = ["columns", "expressions", "filter", "group_by", "sort", "split_by"];
const REBASE_EVERY = 5000;
const ID = /^[0-9a-f-]{36}$/;

function words(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  for (let i = 0; i < 3; i++) {
    const [large, size] = UNITS[i], [small, step] = UNITS[i + 1];
    const many = Math.floor(whole / size), rest = Math.floor((whole % size) / step);
    if (many) return `${many} ${large} ${rest} ${small}`;
  }
  return `${whole} s`;
}

const encode = (layout) => btoa(unescape(encodeURIComponent(JSON.stringify(layout))))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function decode(text) {
  try {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(decodeURIComponent(escape(plain)));
  } catch {
    return {};
  }
}

function found(question) {
  return new Promise((resolve) => {
    const look = () => {
      const answer = question();
      if (answer) resolve(answer); else setTimeout(look, 20);
    };
    look();
  });
}

// A span travels as the moment at which it began. The table holds its length at one moment, the
// base, for all rows: so sorting is right at any time, and only filters need a younger base.
class Spans {
  constructor(names, index) {
    this.names = names;
    this.index = index;
    this.began = new Map();
    this.base = Date.now();
    this.ahead = 0;
  }

  now() { return Date.now() + this.ahead; }

  since(seconds) { return seconds + (this.now() - this.base) / 1000; }

  length(moment) { return moment === null ? null : (this.base - moment) / 1000; }

  take(rows) {
    rows[this.index].forEach((id, at) => {
      this.began.set(id, {...this.began.get(id), ...Object.fromEntries(
        this.names.filter((name) => rows[name]).map((name) => [name, rows[name][at]]))});
    });
    return this.lengths(rows);
  }

  lengths(rows) {
    const told = {...rows};
    for (const name of this.names) {
      if (rows[name]) told[name] = rows[name].map((moment) => this.length(moment));
    }
    return told;
  }

  forget(ids) { for (const id of ids) this.began.delete(id); }

  rebased() {
    this.base = this.now();
    const ids = [...this.began.keys()], all = [...this.began.values()];
    const rows = Object.fromEntries(this.names.map((name) => [name, all.map((one) => one[name])]));
    return this.lengths({[this.index]: ids, ...rows});
  }
}

function painter(model, spans, picked) {
  const kinds = {
    status: (value) => [value, ["psm-status", `psm-${value}`]],
    span: (value) => [words(spans.since(value)), ["psm-span"]],
    kill: (value) => (ID.test(value) ? ["Kill", ["psm-kill"]]
      : [value, [value.includes("overdue") ? "psm-late" : "psm-state"]]),
    link: (value) => [value.slice(-8), ["psm-link"]],
    pick: (value) => [picked.has(value) ? "☑" : "☐", ["psm-pick"]],
  };
  const names = {kill: "Kill session ", link: "Open session ", pick: "Select session "};

  return (table) => {
    for (const td of table.querySelectorAll("tbody td")) {
      const cell = table.getMeta(td);
      const kind = cell && model.kinds[cell.column_header?.findLast((part) => part !== "")];
      const raw = cell?.user;
      const fits = kind && typeof raw === (kind === "span" ? "number" : "string") && raw !== "";
      const [text, classes] = fits ? kinds[kind](raw) : [cell?.value, []];
      const acts = fits && names[kind] && ID.test(raw);
      // The table rewrites a cell only when its own value changes, so ours must not outlive it.
      if ((fits || td.psm?.length) && !(text instanceof Element) && td.textContent !== text) {
        td.textContent = text ?? "";
      }
      if (td.psm?.join() !== classes.join()) {
        td.classList.remove(...(td.psm || []));
        td.classList.add(...classes);
      }
      td.psm = classes;
      td.act = acts ? [kind, raw] : null;
      td.title = typeof raw === "string" && kind !== "kill" ? raw : "";
      if (acts) {
        td.tabIndex = 0;
        td.role = kind === "pick" ? "checkbox" : kind === "link" ? "link" : "button";
        td.ariaLabel = names[kind] + raw;
        td.ariaChecked = kind === "pick" ? `${picked.has(raw)}` : null;
      } else if (td.role) {
        for (const name of ["tabindex", "role", "aria-label", "aria-checked"]) {
          td.removeAttribute(name);
        }
      }
    }
  };
}

// Perspective's own thread takes long to start: it does while the page around is made.
const engine = found(() => window.perspective?.worker).then(() => window.perspective.worker());

export async function render({model, el}) {
  let over = false, frozen = false, fitted = false, table, viewer, shown;
  const spans = new Spans(model.spans, model.index), picked = new Set(model.picked);
  const holder = document.createElement("div");
  holder.className = "holder";
  el.append(holder);

  const clocks = [];
  model.on("remove", () => {
    over = true;
    clocks.forEach(clearInterval);
    Promise.all([viewer?.delete(), last]).then(() => table.delete()).catch(() => {});
  });

  // Widths found for an empty table, or before the cells were painted, leave the last columns out.
  const fit = async () => {
    await viewer.flush();
    shown._resetAutoSize();
    await shown.draw();
  };
  const change = async ({rows, heard, gone}) => {
    if (gone.length) {
      spans.forget(gone);
      await table.remove(gone);
    }
    for (const each of [rows, heard]) {
      if (each[model.index].length) await table.update(spans.take(each));
    }
    if (!shown || fitted || !rows[model.index].length) return;
    fitted = true;
    await fit();
    await fit();
  };

  // The first rows are asked for at once: they come while the viewer is made.
  let last = engine.then((worker) => worker.table(model.columns, {index: model.index}))
    .then((made) => { table = made; });
  const told = new Promise((resolve) => model.on("msg:custom", (message) => {
    frozen = message.frozen;
    spans.ahead = message.at - Date.now();
    last = last.then(() => change(message));
    resolve();
  }));
  model.send_msg(["ready", ""]);
  await told;
  await last;

  await found(() => over || window.perspective_viewer);
  if (over) return;
  viewer = document.createElement("perspective-viewer");
  holder.append(viewer);
  const theme = () => (model.dark ? "Pro Dark" : "Pro Light");
  await viewer.resetThemes(["Pro Light", "Pro Dark"]);
  await viewer.load(Promise.resolve(table));
  model.on("dark", () => viewer.restore({theme: theme()}));
  model.on("settings", () => viewer.restore({settings: model.settings}));
  const usual = {
    columns: Object.keys(model.columns), expressions: {}, filter: [], group_by: [], split_by: [],
    sort: [["Started", "desc"]], aggregates: model.aggregates, settings: model.settings, title: null,
    plugin: "Datagrid", plugin_config: {editable: false},
    columns_config: {Progress: {number_fg_mode: "bar", fg_gradient: 1}},
  };
  const arrange = (config) => viewer.restore({...config, theme: theme()});
  await arrange({...usual, ...decode(model.layout)})
    .catch(() => arrange(usual)).catch(() => {});

  const grid = await found(() => over || (viewer.children[0]?._initialized && viewer.children[0]));
  if (over) return;
  const sheet = new CSSStyleSheet(), bare = new CSSStyleSheet();
  shown = grid.regular_table;
  const paint = painter(model, spans, picked), repaint = () => paint(shown);
  sheet.replaceSync(model.style);
  grid.shadowRoot.adoptedStyleSheets.push(sheet);
  bare.replaceSync("#settings_button { display: none !important }");  // the page has its own
  viewer.shadowRoot?.adoptedStyleSheets.push(bare);
  shown.addStyleListener(repaint);
  repaint();
  if (fitted = await table.size() > 0) await fit();

  const act = (event) => {
    const action = event.target.closest?.("td")?.act;
    if (!action) return;
    const [kind, id] = action;
    if (kind === "pick") {
      if (!picked.delete(id)) picked.add(id);
      repaint();
    }
    model.send_msg([kind, id]);
    event.preventDefault();
  };
  shown.addEventListener("click", act);
  shown.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") act(event);
  });

  let filtered = false;
  const rebase = () => { last = last.then(() => table.update(spans.rebased())); };
  viewer.addEventListener("perspective-config-update", async () => {
    const config = await viewer.save(), layout = {};
    for (const name of ARRANGED) {
      const value = config[name];
      if (JSON.stringify(value) !== JSON.stringify(usual[name])) layout[name] = value;
    }
    const now = config.filter.some(([name]) => model.spans.includes(name));
    if (now && !filtered) rebase();
    filtered = now;
    const text = Object.keys(layout).length ? encode(layout) : "";
    if (text !== model.layout) model.layout = text;
  });

  model.on("picked", () => {
    picked.clear();
    for (const id of model.picked) picked.add(id);
    repaint();
  });
  clocks.push(
    setInterval(() => { if (!frozen && holder.offsetParent) repaint(); }, 1000),
    setInterval(() => { if (filtered && !frozen) rebase(); }, REBASE_EVERY),
  );
}

"""The cells of the table: colours by value, spans in words, the click on Kill."""

import param
from panel.viewable import Child

from .library import Component

STYLE = """
:host, regular-table { font-family: system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
regular-table { margin: 0; }
regular-table th, regular-table td { font-size: 13px; padding: 0 9px; height: 26px; }
regular-table thead th { font-weight: 600; }
regular-table td { max-width: 200px; overflow: hidden; text-overflow: ellipsis;
  unicode-bidi: plaintext; }
regular-table tbody th { max-width: 240px; overflow: hidden; text-overflow: ellipsis; }
regular-table tbody th.psp-tree-leaf { min-width: 150px; }
regular-table td.psp-null:after { content: ""; }
td.psm-status, td.psm-kill { text-align: center !important; font-weight: 600;
  border: 2px solid transparent !important; border-radius: 6px; background-clip: padding-box; }
td.psm-status { min-width: 82px; }
td.psm-idle { background-color: #188038 !important; color: #fff !important; }
td.psm-running { background-color: #fbc02d !important; color: #202124 !important; }
td.psm-stale { background-color: #c5221f !important; color: #fff !important; }
td.psm-span { color: inherit !important; text-align: right !important;
  font-variant-numeric: tabular-nums; }
td.psm-kill { cursor: pointer; color: #c5221f !important; min-width: 56px;
  background-color: rgba(197, 34, 31, 0.1) !important; }
td.psm-kill:hover { background-color: #c5221f !important; color: #fff !important; }
td.psm-late { color: #c5221f !important; font-weight: 600; }
:host-context([theme="Pro Dark"]) td.psm-kill:not(:hover),
:host-context([theme="Pro Dark"]) td.psm-late { color: #f6aea9 !important; }
:host-context([theme="Pro Dark"]) td.psm-kill:not(:hover) {
  background-color: rgba(242, 139, 130, 0.16) !important; }
"""


class Cells(Component):
    """Holds a Perspective pane, and looks after its rows and cells in the browser.

    Perspective colours text by column, not by value, so the painter styles the cells after each
    of its drawings, by what they hold. A click sends the id that the clicked cell shows: the row
    at the same place may be another one by then.
    """

    grid = Child(doc="the pane")
    columns = param.Dict(default={}, doc="kind of cell (status, span, kill, late) by column")
    index = param.String(doc="the column that tells rows apart")
    clicked = param.List(default=[], doc="the id last clicked, and a number that makes it new")

    _esm = """
    const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

    function words(seconds) {
      const whole = Math.floor(seconds);
      for (let i = 0; i < 3; i++) {
        const [large, size] = UNITS[i], [small, step] = UNITS[i + 1];
        const many = Math.floor(whole / size), rest = Math.floor((whole % size) / step);
        if (many) return `${many} ${large} ${rest} ${small}`;
      }
      return `${whole} s`;
    }

    const KINDS = {
      status: (value) => [value, ["psm-status", `psm-${value}`]],
      span: (value) => [words(value), ["psm-span"]],
      kill: () => ["Kill", ["psm-kill"]],
      late: (value) => [value, [value.includes("overdue") ? "psm-late" : "psm-state"]],
    };

    // Panel replaces all rows at each change, and Perspective then forgets which groups are open.
    // With an index it takes changes row by row, so nothing the viewer has arranged is lost.
    function keepRows(table, index) {
      const update = table.update.bind(table);
      let held = new Set(), last = Promise.resolve();
      const become = async (data) => {
        const kept = new Set(data[index]), gone = [...held].filter((id) => !kept.has(id));
        held = kept;
        if (gone.length) await table.remove(gone);
        if (kept.size) await update(data);
      };
      table.update = table.replace = (data) => last = last.then(() => become(data));
      return table;
    }

    function withIndex(library, index) {
      const worker = async (...options) => {
        const made = await library.worker(...options), table = made.table.bind(made);
        made.table = async (schema) => keepRows(await table(schema, {index}), index);
        return made;
      };
      return {...library, worker};
    }

    function paint(table, columns) {
      for (const td of table.querySelectorAll("tbody td")) {
        td.classList.remove(...(td.psm || []));
        const cell = table.getMeta(td);
        const kind = cell && columns[cell.column_header?.findLast((part) => part !== "")];
        const raw = cell?.user;
        const type = kind === "span" ? "number" : "string";
        const fits = kind && typeof raw === type && raw !== "";
        const [text, classes] = fits ? KINDS[kind](raw) : [cell?.value, []];
        td.session = fits && kind === "kill" ? raw : null;
        // The table rewrites a cell only when its own value changes, so ours must not outlive it.
        if ((fits || td.psm?.length) && !(text instanceof Element)) td.textContent = text ?? "";
        td.psm = classes;
        td.title = typeof raw === "string" && kind !== "kill" ? raw : "";
        td.classList.add(...classes);
      }
    }

    export async function render({model, view}) {
      let waiting = null;
      const until = (found) => new Promise((resolve) => {
        waiting = setInterval(() => {
          const it = found();
          if (it) resolve(clearInterval(waiting) ?? it);
        }, 20);
      });
      model.on("remove", () => clearInterval(waiting));

      await until(() => window.perspective?.worker && window.perspective_viewer);
      window.perspective = withIndex(window.perspective, model.index);
      const holder = document.createElement("div");
      holder.style.cssText = "display: flex; flex-direction: column; width: 100%; height: 100%";
      holder.append(model.get_child("grid"));

      const drawn = () => view.child_views[0]?.perspective_element?.children[0];
      until(() => drawn()?._initialized && drawn()).then((grid) => {
        const table = grid.regular_table, sheet = new CSSStyleSheet();
        sheet.replaceSync(model.style);
        grid.shadowRoot.adoptedStyleSheets.push(sheet);
        table.addStyleListener(() => paint(table, model.columns));
        // Panel would forward every click, and fails at one on the label of a group.
        grid.parentElement.addEventListener("perspective-click",
          (event) => event.stopImmediatePropagation(), {capture: true});
        let clicks = 0;
        table.addEventListener("click", (event) => {
          const session = event.target.closest?.("td")?.session;
          if (session) model.clicked = [session, ++clicks];
        });
        table._resetAutoSize();
        table.draw();
      });
      return holder;
    }
    """

    style = param.String(default=STYLE, constant=True)

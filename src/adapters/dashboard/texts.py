"""What the page says besides the table. Names arrive as text nodes, so none is ever markup."""

from typing import Any, ClassVar

import param

from .library import Component


class Strip(Component):
    """One line across the page: an event with a close button, or a state that lasts."""

    text = param.String(default="", doc="nothing is shown while it is empty")
    kind: Any = param.Selector(default="info", objects=["info", "success", "warning", "error"])
    closable = param.Boolean(default=True)

    _stylesheets: ClassVar[list[str]] = [
        """
        .line { display: flex; align-items: flex-start; gap: 12px; padding: 10px 14px;
          border-radius: 6px; border-left: 4px solid; font: 14px/1.45 system-ui, sans-serif;
          color: var(--mui-palette-text-primary, #222); overflow-wrap: anywhere; }
        button[hidden] { display: none; }
        .strip span { flex: 1; unicode-bidi: plaintext; }
        .info { border-color: #1a73e8; background: rgba(26, 115, 232, 0.12); }
        .success { border-color: #188038; background: rgba(24, 128, 56, 0.14); }
        .warning { border-color: #fbc02d; background: rgba(251, 192, 45, 0.2); }
        .error { border-color: #c5221f; background: rgba(197, 34, 31, 0.13); }
        button { border: 0; background: none; color: inherit; font-size: 18px; line-height: 1;
          cursor: pointer; padding: 1px 4px; }
        """
    ]

    _esm = """
    export function render({model}) {
      const strip = document.createElement("div");
      const words = document.createElement("span");
      const close = document.createElement("button");
      close.textContent = "\\u2715";
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
    """

    def __init__(self, **params: Any) -> None:
        super().__init__(visible=False, sizing_mode="stretch_width", margin=(4, 0), **params)
        self.param.watch(lambda event: self.param.update(visible=bool(event.new)), "text")

    def say(self, text: str, kind: str = "info") -> None:
        """Show `text`."""
        self.param.update(text=text, kind=kind)


class Facts(Component):
    """Names and values, one pair a line."""

    rows = param.List(default=[], doc="pairs of texts")

    _stylesheets: ClassVar[list[str]] = [
        """
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 18px; margin: 0;
          font: 14px/1.45 system-ui, sans-serif; color: var(--mui-palette-text-primary, #222);
          max-height: 40vh; overflow-y: auto; }
        dt { color: var(--mui-palette-text-secondary, #666); max-width: 220px; }
        dd { margin: 0; }
        dt, dd { overflow-wrap: anywhere; unicode-bidi: plaintext; text-align: left; }
        """
    ]

    _esm = """
    export function render({model}) {
      const list = document.createElement("dl");
      const show = () => {
        list.replaceChildren(...model.rows.flatMap(([name, value]) => {
          const term = document.createElement("dt"), meaning = document.createElement("dd");
          term.textContent = name;
          meaning.textContent = value;
          return [term, meaning];
        }));
      };
      model.on("rows", show);
      show();
      return list;
    }
    """


class Summary(Component):
    """The counts of all apps, and when they were read."""

    counts = param.Dict(default={}, doc="all, apps, idle, running, stale")
    seen_at = param.Number(default=None, allow_None=True, doc="milliseconds since the epoch")

    _stylesheets: ClassVar[list[str]] = [
        """
        .summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: 6px 26px;
          font: 14px/1.3 system-ui, sans-serif; color: var(--mui-palette-text-primary, #222); }
        b { font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums;
          margin-right: 6px; }
        .dot { display: inline-block; width: 11px; height: 11px; border-radius: 50%;
          margin-right: 7px; }
        .idle .dot { background: #188038; }
        .running .dot { background: #fbc02d; }
        .stale .dot { background: #c5221f; }
        .time, .label { color: var(--mui-palette-text-secondary, #666); }
        """
    ]

    _esm = """
    const PARTS = [["all", "session", "sessions"], ["idle", "idle"], ["running", "running"],
      ["stale", "stale"], ["apps", "app", "apps"]];

    function element(name, className, ...children) {
      const made = document.createElement(name);
      made.className = className;
      made.append(...children);
      return made;
    }

    export function render({model}) {
      const summary = element("div", "summary");
      const show = () => {
        const parts = PARTS.map(([key, one, many]) => {
          const count = model.counts[key] ?? 0;
          const dot = many ? [] : [element("i", "dot")];
          const label = element("span", "label", count === 1 ? one : many ?? one);
          return element("span", key, ...dot, element("b", "", `${count}`), label);
        });
        const time = new Date(model.seen_at).toLocaleTimeString();
        const told = model.seen_at === null ? "Waiting for the server …" : `Updated ${time}`;
        summary.replaceChildren(...parts, element("span", "time", told));
      };
      for (const name of ["counts", "seen_at"]) model.on(name, show);
      show();
      return summary;
    }
    """


class Start(Component):
    """What to do while nothing is tracked yet."""

    _stylesheets: ClassVar[list[str]] = [
        """
        .start { max-width: 640px; margin: 8vh auto 0; padding: 0 16px; text-align: center;
          font: 15px/1.5 system-ui, sans-serif; color: var(--mui-palette-text-primary, #222); }
        h2 { font-size: 21px; font-weight: 600; margin: 0 0 8px; }
        p { color: var(--mui-palette-text-secondary, #666); margin: 0 0 18px; }
        pre { text-align: left; padding: 14px 18px; border-radius: 6px; overflow-x: auto;
          font: 14px/1.6 ui-monospace, monospace; background: rgba(128, 128, 128, 0.13); }
        """
    ]

    _esm = """
    export function render() {
      const start = document.createElement("div");
      start.className = "start";
      start.innerHTML = `
        <h2>No live sessions</h2>
        <p>To track a Panel app, add these two lines to it, then open it in a browser.
           Its sessions appear here within seconds.</p>
        <pre>from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker(app_name="my_app")</pre>`;
      return start;
    }
    """

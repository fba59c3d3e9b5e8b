"""What to do while nothing is tracked yet."""

from typing import ClassVar

from .component import LOOK, Component


class Start(Component):
    """Tells how the first app is tracked."""

    _stylesheets: ClassVar[list[str]] = [
        LOOK,
        """
        .hint { max-width: 640px; margin: 8vh auto 0; padding: 0 16px; text-align: center; }
        h2 { font-size: 21px; font-weight: 600; margin: 0 0 8px; }
        p { color: var(--faint); margin: 0 0 18px; }
        pre { text-align: left; padding: 14px 18px; border-radius: 6px; overflow-x: auto;
          font: 14px/1.6 ui-monospace, monospace; background: rgba(128, 128, 128, 0.13); }
        """,
    ]

    _esm = """
    export function render() {
      const start = document.createElement("div");
      start.className = "hint";
      start.innerHTML = `
        <h2>No live sessions</h2>
        <p>To track a Panel app, add these two lines to it, then open it in a browser.
           Its sessions appear here within seconds.</p>
        <pre tabindex="0">from panel_session_monitor import SessionClient
tracker = SessionClient.get_tracker(app_name="my_app")</pre>`;
      return start;
    }
    """

// Links to the pages. They are real ones: another tab can be opened with them.

export function render({model}) {
  const nav = document.createElement("nav"), zone = document.createElement("span");
  nav.ariaLabel = "Pages";
  zone.className = "zone";
  const {timeZone} = Intl.DateTimeFormat().resolvedOptions();
  const offset = new Intl.DateTimeFormat("en", {timeZoneName: "shortOffset"})
    .formatToParts().find(({type}) => type === "timeZoneName").value;
  zone.textContent = `Times: ${timeZone} (${offset})`;
  const show = () => {
    nav.replaceChildren(...model.pages.map(([key, label]) => {
      const link = document.createElement("a");
      link.textContent = label;
      link.href = key === "sessions" ? "?" : `?page=${key}`;
      if (key === model.page) link.ariaCurrent = "page";
      link.onclick = (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        model.send_msg(key);
      };
      return link;
    }), zone);
  };
  for (const name of ["pages", "page"]) model.on(name, show);
  show();
  return nav;
}

// Tasks on a line of time, one lane for each name.

const MOST_LANES = 12;

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

const clock = (moment) => new Date(moment).toLocaleTimeString();

export function render({model}) {
  const timeline = element("figure", "chart");
  const draw = () => {
    const {bars, begin} = model, end = model.end ?? Date.now();
    const width = Math.max(1, end - begin), lanes = new Map();
    for (const [name, from, to] of bars) {
      if (!lanes.has(name)) lanes.set(name, []);
      lanes.get(name).push([from, to]);
    }
    const shown = [...lanes].slice(-MOST_LANES);
    const rows = shown.flatMap(([name, spans]) => {
      const lane = element("div", "lane", ...spans.map(([from, to]) => {
        const bar = element("div", to === null ? "bar now" : "bar");
        bar.style.left = `${Math.max(0, (from - begin) / width) * 100}%`;
        bar.style.width = `max(3px, ${(((to ?? end) - from) / width) * 100}%)`;
        bar.title = `${name}: ${clock(from)} – ${to === null ? "now" : clock(to)}`;
        return bar;
      }));
      const label = element("div", "name", name);
      label.title = name;
      return [label, lane];
    });
    const axis = element("div", "axis", element("span", "", clock(begin)),
      element("span", "", model.end === null ? "now" : clock(end)));
    const empty = element("p", "empty", "No task has run in this session.");
    const hidden = lanes.size - shown.length;
    const caption = element("figcaption", "", hidden > 0 ? `Tasks (the last ${MOST_LANES} of ${lanes.size})` : "Tasks");
    timeline.replaceChildren(caption,
      ...(rows.length ? [element("div", "lanes", ...rows, element("div", ""), axis)] : [empty]));
  };
  for (const name of ["bars", "begin", "end"]) model.on(name, draw);
  draw();
  const ticking = setInterval(() => { if (model.end === null && timeline.offsetParent) draw(); }, 2000);
  model.on("remove", () => clearInterval(ticking));
  return timeline;
}

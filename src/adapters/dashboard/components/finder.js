// Search, chips and app picker.

const TYPING = 200;

function element(name, className, ...children) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

export function render({model}) {
  const search = element("input", "search");
  search.type = "search";
  search.placeholder = "Search app, user, task, host";
  search.ariaLabel = "Search app, user, task and host";
  search.maxLength = 200;
  let typing = null;
  search.oninput = () => {
    clearTimeout(typing);
    typing = setTimeout(() => { typing = null; model.text = search.value.trim(); }, TYPING);
  };

  const chips = new Map(["idle", "running", "stale"].map((status) => {
    const count = element("b", ""), chip = element("button", `chip ${status}`,
      element("i", "dot"), count, ` ${status}`);
    chip.type = "button";
    chip.onclick = () => {
      const chosen = new Set(model.statuses);
      if (!chosen.delete(status)) chosen.add(status);
      model.statuses = [...chosen];
    };
    return [status, [chip, count]];
  }));

  const app = element("select", "");
  app.ariaLabel = "App";
  app.onchange = () => { model.app = app.value ? JSON.parse(app.value) : ""; };

  const told = element("span", "told");
  told.role = "status";
  const finder = element("div", "tools", search, app,
    ...[...chips.values()].map(([chip]) => chip), told);

  const option = (name, label) => {
    const made = element("option", "", label);
    made.value = name && JSON.stringify(name);
    return made;
  };
  const shows = {
    text: () => { if (typing === null && search.value.trim() !== model.text) search.value = model.text; },
    statuses: () => chips.forEach(([chip], status) => {
      chip.ariaPressed = `${model.statuses.includes(status)}`;
    }),
    counts: () => chips.forEach(([, count], status) => {
      count.textContent = (model.counts[status] ?? 0).toLocaleString();
    }),
    told: () => { told.textContent = model.told; },
    apps: () => {
      const known = model.apps.some(([name]) => name === model.app);
      const all = known || !model.app ? model.apps : [[model.app, 0], ...model.apps];
      app.replaceChildren(option("", "All apps"),
        ...all.map(([name, count]) => option(name, `${name} (${count.toLocaleString()})`)));
      app.value = model.app && JSON.stringify(model.app);
    },
  };
  shows.app = shows.apps;
  for (const [name, show] of Object.entries(shows)) {
    model.on(name, show);
    show();
  }
  return finder;
}

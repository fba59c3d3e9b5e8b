// The address of the page: what is looked at stands in it, and is remembered for the next time.

const KEY = "panel-session-monitor";
const read = () => Object.fromEntries(new URLSearchParams(location.search));

export function render({model}) {
  const known = (fields) => Object.fromEntries(
    Object.entries(fields).filter(([name]) => model.names.includes(name)));
  const page = (fields) => `${fields.page ?? ""}/${fields.session ?? ""}`;
  const others = () => Object.entries(read()).filter(([name]) => !model.names.includes(name));

  const show = () => {
    const now = known(read()), query = new URLSearchParams([
      ...others(), ...Object.entries(model.fields)]).toString();
    const {session, page: _, ...lasting} = model.fields;
    localStorage.setItem(KEY, JSON.stringify(lasting));
    if (query === new URLSearchParams(location.search).toString()) return;
    const url = `${location.pathname}${query ? "?" : ""}${query}${location.hash}`;
    history[page(now) === page(model.fields) ? "replaceState" : "pushState"](null, "", url);
  };
  const back = () => model.send_msg(known(read()));

  let remembered = {};
  try {
    remembered = JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    localStorage.removeItem(KEY);
  }
  // A link that says anything means exactly that; otherwise all is as it was the last time.
  if (!Object.keys(known(read())).length && Object.keys(remembered).length) {
    model.send_msg(remembered);
  }
  model.on("fields", show);
  window.addEventListener("popstate", back);
  model.on("remove", () => window.removeEventListener("popstate", back));
  return document.createElement("div");
}

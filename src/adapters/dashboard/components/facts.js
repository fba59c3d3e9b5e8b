// Names and values.

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

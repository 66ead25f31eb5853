// The leaderboard's tables: sort by any column, filter by model, show another metric or a part of the items.
"use strict";

(() => {
  const { load, h, percent, fail } = sqlgauge;

  const key = (row, place) => {
    const cell = row.cells[place];
    if (!cell) return null;
    if (cell.dataset.sort !== undefined) return cell.dataset.sort === "" ? null : Number(cell.dataset.sort);
    const text = cell.textContent.trim().replace(/\s+/g, " "), number = Number.parseFloat(text.replace(/[,+]/g, "").replace("−", "-"));
    return text === "–" || text === "" ? null : Number.isNaN(number) ? text.toLowerCase() : number;
  };

  /** Numbers from high to low first, texts from A to Z; what has no figure always comes last. */
  function sort(table, place, button) {
    const heads = [...table.tHead.querySelectorAll("th[aria-sort], th.sortable")];
    const head = button.closest("th"), body = table.tBodies[0];
    const rows = [...body.rows].map((row, at) => [key(row, place), at, row]);
    const texts = rows.some(([value]) => typeof value === "string");
    const before = head.getAttribute("aria-sort");
    const up = before === null ? texts : before !== "ascending";
    for (const one of heads) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    rows.sort(([a, i], [b, j]) => {
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      const order = typeof a === "number" && typeof b === "number" ? a - b : String(a) < String(b) ? -1 : Number(String(a) > String(b));
      return (up ? order : -order) || i - j;
    });
    body.append(...rows.map(([, , row]) => row));
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    if (table.tHead.rows.length > 1) return;
    heads.forEach((head, place) => {
      const button = h("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.classList.add("sortable");
      head.replaceChildren(button);
      button.addEventListener("click", () => sort(table, place, button));
    });
  }

  /** Draw a figure, [value, low, high, n], into a headline cell. */
  function draw(cell, figure) {
    const bar = cell.querySelector("svg"), value = cell.querySelector(".value"), small = cell.querySelector(".small");
    cell.dataset.sort = figure ? figure[0] : "";
    if (!bar) return;
    const [middle, low, high, n] = figure || [0, 0, 0, 0];
    const at = (share) => (200 * share).toFixed(2);
    bar.querySelector(".fill").setAttribute("width", at(middle));
    const whisker = figure ? `M${at(low)} 10H${at(high)}M${at(low)} 6v8M${at(high)} 6v8` : "";
    for (const path of bar.querySelectorAll(".halo, .whisker")) path.setAttribute("d", whisker);
    const said = figure ? `(${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})` : "";
    bar.setAttribute("aria-label", figure ? `${percent(middle)}, 95% interval ${said}` : "no figure");
    value.textContent = figure ? percent(middle) : "–";
    small.replaceChildren(h("span", { class: "interval" }, said), " ", h("span", { class: "n" }, figure ? `n ${n}` : ""));
  }

  async function tools(section) {
    const form = section.querySelector("form.tools"), table = section.querySelector("table.accuracy");
    if (!form || !table) return;
    const board = await load("board", `${section.dataset.folder}/`);
    const rows = [...table.tBodies[0].rows], title = table.querySelector("th.headline bdi"), note = form.querySelector(".note");
    const update = () => {
      const { model, metric, items } = form.elements, words = model.value.trim().toLowerCase();
      const [slicing, value] = items.value ? items.value.split(":").map(Number) : [-1, -1];
      metric.disabled = slicing >= 0;
      const name = slicing >= 0 ? board.headline : board.columns[Number(metric.value)];
      let left = 0;
      rows.forEach((row) => {
        const place = Number(row.dataset.row), of = board.rows[place];
        row.hidden = !board.models[place].toLowerCase().includes(words);
        left += !row.hidden;
        const cell = row.querySelector("td.headline");
        if (cell) draw(cell, slicing >= 0 ? of.slices[slicing][value] : of.cells[board.columns.indexOf(name)]);
      });
      if (title) title.textContent = slicing >= 0 ? `${name}, ${board.slicings[slicing].values[value]}` : name;
      const whole = name === board.headline && slicing < 0;
      note.textContent = `${left} of ${rows.length} models.${whole ? "" : ` Ranks are those of ${board.headline} on all items.`}`;
    };
    form.hidden = false;
    form.addEventListener("input", update);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(update));
    update();
  }

  for (const table of document.querySelectorAll("table.accuracy, table.failures, table.usage, table.pairs, table.slices")) sortable(table);
  for (const section of document.querySelectorAll("section.dataset")) tools(section).catch(fail);
})();

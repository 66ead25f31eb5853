// The list of a dataset's items: filter, search, page; one item opens in its place. All state is in the address after #.
"use strict";

const itemlist = (() => {
  const { load, h, fields, address, outcome, fail } = sqlgauge;
  const ROWS = 50;
  const form = document.getElementById("filter");
  let head, ids, shown = [];
  let left = null; // the item that the reader comes back from

  const column = (name) => head.columns.indexOf(name);
  const metricOf = (state) => (column(state.get("metric")) >= 0 ? state.get("metric") : head.headline || head.columns[0]);

  /** Outcome letters by run for one metric; null for a run without it. */
  const outcomes = (name) => Promise.all(head.runs.map((run, r) => (run.has[column(name)] ? load(`outcome-${r}-${column(name)}`) : null)));

  const some = (wanted) => (letters) => letters.includes(wanted);
  const all = (wanted) => (letters) => letters.length > 0 && letters.every((letter) => letter === wanted);
  const SHOWS = new Map([
    ["wrong", some("w")], ["right", some("r")], ["novalue", some("x")], ["allwrong", all("w")], ["allright", all("r")],
    ["differ", (letters) => letters.includes("r") && letters.includes("w")],
  ]);

  /** The places of the items that the address asks for. */
  async function chosen(state) {
    const metric = metricOf(state), by = await outcomes(metric);
    const run = head.runs.findIndex((one) => one.run === state.get("run"));
    const considered = by.filter((letters, r) => letters !== null && (run < 0 || r === run));
    let places = ids.map((_, place) => place);
    const shows = SHOWS.get(state.get("show"));
    if (shows) places = places.filter((place) => shows(considered.map((letters) => letters[place])));
    const tag = head.tags.findIndex((one) => one.name === state.get("tag"));
    if (tag >= 0 && state.get("value")) {
      const wanted = head.tags[tag].values.indexOf(state.get("value")), codes = await load(`tag-${tag}`);
      places = places.filter((place) => codes[place] === wanted);
    }
    if (state.get("is")) places = await combined(places, state.get("is"), run);
    if (state.get("q")) places = await searched(places, state.get("q").toLowerCase());
    return places;
  }

  /** Items that some run has exactly these outcomes on: letters in the order of `said`, columns by number. */
  async function combined(places, text, run) {
    const wanted = text.split(",").map((part) => [Number(part.slice(0, -1)), part.slice(-1)]);
    const runs = head.runs.map((_, r) => r).filter((r) => run < 0 || r === run);
    const letters = await Promise.all(runs.map((r) => Promise.all(wanted.map(([c]) => (head.runs[r].has[c] ? load(`outcome-${r}-${c}`) : null)))));
    const fits = (found, place) => wanted.every(([, letter], i) => {
      const has = found[i] === null ? "-" : found[i][place];
      return letter === "n" ? has === "x" || has === "-" : letter === "w" ? has === "w" || has === "p" : has === letter;
    });
    return places.filter((place) => letters.some((found) => fits(found, place)));
  }

  async function searched(places, words) {
    const chunks = [...new Set(places.map((place) => Math.floor(place / head.text_chunk)))];
    const texts = new Map(await Promise.all(chunks.map(async (chunk) => [chunk, await load(`text-${chunk}`)])));
    return places.filter((place) => ids[place].toLowerCase().includes(words) ||
      texts.get(Math.floor(place / head.text_chunk))[place % head.text_chunk].toLowerCase().includes(words));
  }

  async function show(state) {
    const metric = metricOf(state), by = await outcomes(metric);
    const pages = Math.max(1, Math.ceil(shown.length / ROWS));
    const page = Math.min(Math.max(1, Number(state.get("page")) || 1), pages);
    const places = shown.slice((page - 1) * ROWS, page * ROWS);
    const chunks = [...new Set(places.map((place) => Math.floor(place / head.text_chunk)))];
    const texts = new Map(await Promise.all(chunks.map(async (chunk) => [chunk, await load(`text-${chunk}`)])));
    const body = places.map((place) => h("tr", {},
      h("th", { scope: "row" }, h("a", { href: address({ item: ids[place] }) }, ids[place])),
      h("td", { class: "text question" }, texts.get(Math.floor(place / head.text_chunk))[place % head.text_chunk]),
      by.map((letters) => h("td", {}, outcome(letters === null ? "-" : letters[place])))));
    const table = document.getElementById("rows");
    table.tBodies[0].replaceChildren(...body);
    if (left !== null) [...table.tBodies[0].querySelectorAll("th a")].find((link) => link.textContent === left)?.focus();
    left = null;
    document.getElementById("count").textContent = `${shown.length.toLocaleString("en")} of ${head.n.toLocaleString("en")} items, by ${metric}`;
    const link = (text, to) => (to >= 1 && to <= pages && to !== page ? h("a", { href: address({ page: to }) }, text) : h("span", { class: "none" }, text));
    document.getElementById("pages").replaceChildren(link("First", 1), link("Previous", page - 1), h("span", {}, `Page ${page} of ${pages}`), link("Next", page + 1), link("Last", pages));
  }

  /** What a field chooses from: its options are numbers, for an attribute of a page does not keep every text as it is. */
  const CHOICES = {
    metric: () => head.columns,
    run: () => head.runs.map((one) => one.run),
    tag: () => head.tags.map((one) => one.name),
    value: (state) => head.tags.find((one) => one.name === state.get("tag"))?.values || [],
  };
  const number = (name, text, state) => { const at = CHOICES[name](state).indexOf(text); return at < 0 ? "" : String(at); };
  const chosenText = (name, state) => { const at = form.elements[name].value; return at === "" ? null : CHOICES[name](state)[Number(at)]; };

  function fill(state) {
    const values = CHOICES.value(state), select = form.elements.value;
    select.replaceChildren(h("option", { value: "" }, "any"), ...values.map((value, at) => h("option", { value: String(at) }, value)));
    select.disabled = values.length === 0;
    for (const name of ["q", "show"]) form.elements[name].value = state.get(name) || "";
    for (const name of ["run", "tag", "value"]) form.elements[name].value = number(name, state.get(name), state);
    form.elements.metric.value = number("metric", metricOf(state), state);
    const chip = document.getElementById("combination");
    chip.hidden = !state.get("is");
    if (state.get("is")) {
      const words = { r: "right", w: "wrong", n: "none" };
      const said = state.get("is").split(",").map((part) => `${head.columns[Number(part.slice(0, -1))]} ${words[part.slice(-1)] || "?"}`).join(", ");
      chip.replaceChildren(`Answers with ${said} `, h("a", { href: address({ is: null, page: null }) }, "all answers"));
    }
  }

  async function route() {
    const state = fields(), id = state.get("item");
    document.getElementById("list").hidden = id !== null;
    document.getElementById("item").hidden = id === null;
    fill(state);
    const places = await chosen(state);
    if (fields().toString() !== state.toString()) return; // an older answer: the address has moved on
    shown = places;
    if (id === null) return show(state);
    left = id;
    const place = ids.indexOf(id);
    if (place < 0) throw new Error(`There is no item ${id} here.`);
    const at = shown.indexOf(place);
    const beside = { previous: at > 0 ? ids[shown[at - 1]] : null, next: at >= 0 && at + 1 < shown.length ? ids[shown[at + 1]] : null };
    return itempage.show({ head, place, beside, state });
  }

  let typing;
  function changed(event) {
    const target = event.target, before = fields();
    if (target.name === "tag") form.elements.value.value = "";
    const changes = { page: null, q: form.elements.q.value, show: form.elements.show.value };
    for (const name of ["metric", "run", "tag", "value"]) changes[name] = chosenText(name, before);
    if (changes.metric === (head.headline || head.columns[0])) changes.metric = null;
    clearTimeout(typing);
    typing = setTimeout(() => { location.hash = address(changes); }, target.name === "q" && event.type === "input" ? 250 : 0);
  }

  async function start() {
    [head, ids] = await Promise.all([load("head"), load("ids")]);
    form.addEventListener("change", changed);
    form.elements.q.addEventListener("input", changed);
    form.addEventListener("submit", (event) => event.preventDefault());
    const go = () => { document.getElementById("problem").hidden = true; route().catch(fail); };
    window.addEventListener("hashchange", go);
    go();
  }
  start().catch(fail);
})();

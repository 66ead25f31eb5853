// Two runs of a dataset: who is better, by how much, and the items that only one of them has right.
"use strict";

(() => {
  const { load, h, fields, address, percent, points, wilson, fail } = sqlgauge;
  const form = document.getElementById("choose");
  const found = document.getElementById("found");
  const SHOWN = 100;
  let head, ids;
  let leaves = new Set(); // places of items that tell nothing, and are not in the headline

  /** Exact McNemar: the two-sided binomial p of a split of the items that one run alone has right. */
  function mcnemar(a, b) {
    const n = a + b, k = Math.min(a, b);
    if (!n) return 1;
    let log = -n * Math.LN2, sum = 0;
    for (let i = 0; i <= k; i += 1) { sum += Math.exp(log); log += Math.log((n - i) / (i + 1)); }
    return Math.min(1, a === b ? 1 : 2 * sum);
  }

  function chosen(state) {
    const place = (name, otherwise) => { const at = head.runs.findIndex((run) => run.run === state.get(name)); return at >= 0 ? at : otherwise; };
    const metric = head.columns.includes(state.get("metric")) ? state.get("metric") : head.headline || head.columns[0];
    return { a: place("a", 0), b: place("b", Math.min(1, head.runs.length - 1)), metric, column: head.columns.indexOf(metric) };
  }

  async function route() {
    const state = fields(), { a, b, metric, column } = chosen(state);
    form.elements.a.value = String(a);
    form.elements.b.value = String(b);
    form.elements.metric.value = String(column);
    leaves = new Set(metric === head.headline ? head.left_out : []);
    const lacking = [a, b].filter((r) => !head.runs[r].has[column]);
    if (lacking.length) return found.replaceChildren(h("p", {}, `${head.runs[lacking[0]].model} has no ${metric}.`));
    const [first, second] = await Promise.all([a, b].map((r) => load(`outcome-${r}-${column}`)));
    const texts = await questions(first, second);
    if (fields().toString() !== state.toString()) return undefined;
    return found.replaceChildren(...(await sections(a, b, metric, first, second, texts)));
  }

  const clear = (letter) => letter === "r" || letter === "w";
  function split(first, second) {
    const parts = { both: [], a: [], b: [], neither: [], left: [], leaves: [] };
    for (let i = 0; i < head.n; i += 1) {
      const [x, y] = [first[i], second[i]];
      if (leaves.has(i)) parts.leaves.push(i);
      else if (!clear(x) || !clear(y)) parts.left.push(i);
      else parts[x === y ? (x === "r" ? "both" : "neither") : x === "r" ? "a" : "b"].push(i);
    }
    return parts;
  }

  async function questions(first, second) {
    const { a, b } = split(first, second);
    const places = [...a.slice(0, SHOWN), ...b.slice(0, SHOWN)];
    const chunks = [...new Set(places.map((place) => Math.floor(place / head.text_chunk)))];
    return new Map(await Promise.all(chunks.map(async (chunk) => [chunk, await load(`text-${chunk}`)])));
  }

  async function sections(a, b, metric, first, second, texts) {
    const parts = split(first, second);
    const n = head.n - parts.left.length - parts.leaves.length;
    const p = mcnemar(parts.a.length, parts.b.length);
    return [
      h("p", { class: "verdict" }, verdict(a, b, metric, parts, p)),
      totals(a, b, metric, parts, n),
      ...(await slices(metric, first, second)),
      ...list("a", a, b, parts.a, texts),
      ...list("b", b, a, parts.b, texts),
    ];
  }

  /** The table's own statistics for the headline, which know about clusters and many pairs; else McNemar alone. */
  function verdict(a, b, metric, parts, p) {
    const names = [head.runs[a].model, head.runs[b].model];
    const said = `Alone right: A on ${parts.a.length}, B on ${parts.b.length} items (exact McNemar p ${p < 0.001 ? "under 0.001" : p.toFixed(3)}, this pair alone).`;
    const pair = head.pairs.find(([x, y]) => (x === a && y === b) || (x === b && y === a));
    if (metric !== head.headline || !pair) return said;
    const [upper, , difference, low, high, holm, separated] = pair;
    const better = upper === a ? `A, ${names[0]}` : `B, ${names[1]}`;
    const amount = `${points(difference)} points (${points(low)} to ${points(high)}; p ${holm === null ? "–" : holm < 0.001 ? "under 0.001" : holm.toFixed(3)} after Holm)`;
    return separated ? `${better}, is better: ${amount}. ${said}` : `The data do not separate them: ${amount} for ${better}. ${said}`;
  }

  function totals(a, b, metric, parts, n) {
    const row = (name, r, alone) => {
      const right = parts.both.length + alone.length, [low, high] = wilson(right, n);
      return h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "text" }, h("bdi", {}, head.runs[r].model)), h("td", {}, percent(n ? right / n : NaN)), h("td", {}, `${percent(low)} to ${percent(high)}`), h("td", {}, String(alone.length)));
    };
    const columns = ["", "model", metric, "95% interval", "right alone"];
    const left = (parts.left.length ? ` ${parts.left.length} items without a clear value for both are left out.` : "") +
      (parts.leaves.length ? ` ${parts.leaves.length} items that tell nothing leave the headline.` : "");
    return h("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": "The two runs" }, h("table", {},
      h("caption", {}, h("span", {}, `${n} items: both right on ${parts.both.length}, neither on ${parts.neither.length}.${left}`)),
      h("thead", {}, h("tr", {}, columns.map((name) => (name ? h("th", { scope: "col", class: name === "model" ? "text" : null }, name) : h("td", {}))))),
      h("tbody", {}, row("A", a, parts.a), row("B", b, parts.b))));
  }

  async function slices(metric, first, second) {
    const made = [];
    for (const [number, tag] of head.tags.entries()) {
      if (tag.values.length > 30) continue;
      const codes = await load(`tag-${number}`);
      const counts = tag.values.map(() => [0, 0, 0]);
      for (let i = 0; i < head.n; i += 1) {
        if (leaves.has(i) || !clear(first[i]) || !clear(second[i])) continue;
        const of = counts[codes[i]];
        of[0] += 1; of[1] += first[i] === "r"; of[2] += second[i] === "r";
      }
      const rows = tag.values.map((value, i) => [value, ...counts[i]]).filter(([, n]) => n).map(([value, n, x, y]) =>
        h("tr", {}, h("th", { scope: "row" }, value), h("td", {}, String(n)), h("td", {}, percent(x / n)), h("td", {}, percent(y / n)), h("td", {}, points((y - x) / n))));
      const name = tag.name.replaceAll("_", " ");
      made.push(h("details", {}, h("summary", {}, `${metric} by ${name}`), h("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": `By ${name}` }, h("table", {}, h("caption", {}, h("span", {}, "Shares right; the difference is B minus A in points.")), h("thead", {}, h("tr", {}, [name, "n", "A", "B", "B − A"].map((one) => h("th", { scope: "col" }, one)))), h("tbody", {}, rows)))));
    }
    return made;
  }

  function list(side, winner, loser, places, texts) {
    const letter = side.toUpperCase();
    const link = (place) => `items.html${address({ item: ids[place], run: head.runs[loser].run }, new URLSearchParams())}`;
    const lines = places.slice(0, SHOWN).map((place) => h("li", {}, h("a", { href: link(place) }, ids[place]), " ", h("span", {}, texts.get(Math.floor(place / head.text_chunk))[place % head.text_chunk])));
    const rest = places.length > SHOWN ? [h("p", { class: "none" }, `and ${places.length - SHOWN} more`)] : [];
    return [h("h2", { class: "part" }, `Only ${letter} has right (${places.length})`), places.length ? h("ul", { class: "won" }, lines) : h("p", { class: "none" }, "None."), ...rest];
  }

  async function start() {
    [head, ids] = await Promise.all([load("head"), load("ids")]);
    form.addEventListener("change", () => {
      const { a, b, metric } = form.elements;
      location.hash = address({ a: head.runs[Number(a.value)].run, b: head.runs[Number(b.value)].run, metric: head.columns[Number(metric.value)] });
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    const go = () => route().catch(fail);
    window.addEventListener("hashchange", go);
    go();
  }
  start().catch(fail);
})();

// One item: question, gold beside prediction, what both return, what tells them apart, what judges say.
"use strict";

const itempage = (() => {
  const { load, h, address, outcome } = sqlgauge;
  const page = document.getElementById("item");
  const NULL = () => h("span", { class: "null" }, "NULL");

  async function show({ head, place, beside, state }) {
    const chunk = Math.floor(place / head.chunk), within = place % head.chunk;
    const { schemas, items } = await load(`item-${chunk}`);
    const item = items[within];
    const letters = await Promise.all(head.runs.map((run, r) => headlineOf(head, run, r, place, state)));
    const wanted = head.runs.findIndex((run) => run.run === state.get("run"));
    const r = wanted >= 0 ? wanted : Math.max(0, letters.indexOf("w"));
    const answers = (await load(`answer-${r}-${chunk}`))[within];
    const heading = h("h2", { tabindex: "-1" }, item.question);
    page.replaceChildren(
      bar(beside),
      heading,
      about(item),
      ...(item.unsound ? [h("p", { class: "warnings" }, "The item itself: ", item.unsound)] : []),
      ...(item.hint ? [h("p", {}, h("strong", {}, "Hint: "), item.hint)] : []),
      runs(head, letters, r),
      ...(answers.length ? answers.flatMap((answer) => answered(item, answer, answers.length)) : [h("p", {}, "This run has no answer to the item.")]),
      fold("Schema", () => sqltext.coloured(schemas[item.schema])),
      prompt(head, r, chunk, within),
    );
    document.title = `${item.id}: ${item.question.slice(0, 80)}`;
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  async function headlineOf(head, run, r, place, state) {
    const name = head.columns.includes(state.get("metric")) ? state.get("metric") : head.headline || head.columns[0];
    const c = head.columns.indexOf(name);
    return run.has[c] ? (await load(`outcome-${r}-${c}`))[place] : "-";
  }

  function bar({ previous, next }) {
    const link = (text, id, name) => (id === null ? h("span", { class: "none" }, text) : h("a", { href: address({ item: id }), rel: name }, text));
    return h("nav", { class: "trail", "aria-label": "Items" }, h("a", { href: address({ item: null }) }, "All items"), link("Previous item", previous, "prev"), link("Next item", next, "next"));
  }

  function about(item) {
    const lines = [["item", item.id], ["group", item.group], ["dialect", item.dialect], ["task", item.task], ...item.tags];
    return h("dl", { class: "facts" }, lines.map(([name, value]) => h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, h("bdi", {}, value)))));
  }

  function runs(head, letters, chosen) {
    const links = head.runs.map((run, r) => h("li", {}, h("a", { href: address({ run: run.run }), "aria-current": r === chosen ? "true" : null }, outcome(letters[r]), " ", h("bdi", {}, run.model))));
    return h("nav", { class: "choose", "aria-label": "Answer of" }, h("ul", {}, links));
  }

  function answered(item, answer, of) {
    const name = of > 1 ? `Prediction, sample ${answer.sample}` : "Prediction";
    const [gold, mine] = answer.sql === null ? [sqltext.coloured(item.golds[0] || ""), h("p", {}, `No SQL: ${answer.error || answer.extraction}.`)] : sqltext.compared(item.golds[0] || "", answer.sql);
    const others = item.golds.slice(1).map((sql, i) => fold(`Gold ${i + 2} of ${item.golds.length}`, () => sqltext.coloured(sql)));
    return [
      h("div", { class: "pair" }, h("section", {}, h("h3", {}, "Gold"), gold, ...others), h("section", {}, h("h3", {}, name), mine)),
      ...edits(answer),
      h("h3", {}, "Scores"),
      scores(answer),
      ...results(answer),
      ...proof(answer),
      ...counterexample(answer),
      ...verdicts(answer),
      h("h3", {}, "Raw output"),
      h("pre", { tabindex: "0" }, answer.text || "(empty)"),
      took(answer),
    ];
  }

  function edits({ edits: found }) {
    if (!found || !found.length) return [];
    const words = { removed: "only in gold", added: "only in prediction", changed: "changed" };
    return [h("h3", {}, "What differs"), h("ul", { class: "edits" }, found.map(([kind, sql]) => h("li", { class: kind }, h("span", { class: "kind" }, words[kind]), " ", h("code", {}, sql))))];
  }

  function scores({ scores: found }) {
    const letter = (value) => (value === null ? "x" : value >= 1 ? "r" : value <= 0 ? "w" : "p");
    const rows = found.map((one) => h("tr", {}, h("th", { scope: "row" }, one.metric), h("td", {}, outcome(letter(one.value)), " ", one.value === null ? "–" : String(Math.round(one.value * 1000) / 1000)),
      h("td", { class: "text" }, [one.status === "ok" ? null : one.status, one.verdict, one.reason].filter(Boolean).join("; "))));
    return box("Scores", h("table", { class: "grid" }, h("caption", { class: "unseen" }, "Scores"), h("thead", {}, h("tr", {}, ["metric", "value", "why"].map((name) => h("th", { scope: "col", class: name === "why" ? "text" : null }, name)))), h("tbody", {}, rows)));
  }

  const cell = (value) => h("td", { class: typeof value === "number" ? "number" : null }, value === null ? NULL() : typeof value === "object" ? JSON.stringify(value) : String(value));

  /** A result as a table. `columns` may be missing. */
  function grid(title, columns, rows, count) {
    const more = count === null || count === undefined || !rows || count <= rows.length ? "" : `, the first ${rows.length} shown`;
    const said = count === null || count === undefined ? title : `${title}: ${count} ${count === 1 ? "row" : "rows"}${more}`;
    const top = columns && columns.length ? [h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, String(name)))))] : [];
    return box(title, h("table", { class: "grid" }, h("caption", {}, said), top, h("tbody", {}, (rows || []).map((row) => h("tr", {}, row.map(cell))))));
  }

  const box = (label, content) => h("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": label }, content);

  function results({ results: found }) {
    if (!found) return [];
    const sides = found.gold ? [["Gold returns", found.gold], ["Prediction returns", found.prediction]].filter(([, side]) => side) : [["Both return, in the prediction’s order", found.prediction]];
    return [h("h3", {}, "On the given database"), h("div", { class: "pair" }, sides.map(([title, side]) => h("section", {}, grid(title, null, side.rows, side.count))))];
  }

  function proof({ proof: found }) {
    if (!found) return [];
    return [h("h3", {}, "Proved equivalent"), h("p", {}, found.rules.length ? `Both have one canonical form, by the rules ${found.rules.join(", ")}.` : "Both are the same but for spelling."), sqltext.coloured(found.form)];
  }

  function counterexample({ counterexample: found }) {
    if (!found) return [];
    const side = (title, one) => h("section", {}, grid(title, one.columns, one.rows, one.rows.length));
    return [h("h3", { id: "counterexample" }, "A database that tells them apart"), sqltext.coloured(found.setup_sql), h("div", { class: "pair" }, side("Gold returns there", found.gold), side("Prediction returns there", found.prediction))];
  }

  function verdicts({ verdicts: found }) {
    if (!found.length) return [];
    const how = (one) => [one.swapped ? "swapped" : null, one.repeat ? `asked again (${one.repeat})` : null].filter(Boolean).join(", ");
    const rows = found.map((one) => h("tr", {}, h("th", { scope: "row" }, one.judge, one.version && one.version !== one.judge ? h("span", { class: "small" }, one.version) : null), h("td", {}, one.label || "no verdict", h("span", { class: "small" }, how(one))), h("td", { class: "text" }, one.error || one.reason)));
    return [h("h3", {}, "Judges"), box("Judges", h("table", { class: "grid" }, h("caption", {}, "What judges said, in their words"), h("thead", {}, h("tr", {}, ["judge", "verdict", "reason"].map((name) => h("th", { scope: "col", class: name === "reason" ? "text" : null }, name)))), h("tbody", {}, rows)))];
  }

  function took(answer) {
    const lines = [["finish", answer.finish], ["prompt tokens", answer.took.prompt_tokens], ["answer tokens", answer.took.completion_tokens], ["seconds", answer.took.seconds], ["USD", answer.took.cost_usd]];
    return h("dl", { class: "facts" }, lines.filter(([, value]) => value !== null).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, String(value)))));
  }

  /** Details whose content is made when they are opened first. */
  function fold(title, make) {
    const details = h("details", {}, h("summary", {}, title));
    details.addEventListener("toggle", () => { if (details.open && details.children.length === 1) details.append(make()); });
    return details;
  }

  function prompt(head, r, chunk, within) {
    const number = head.prompts[r];
    if (number === null) return h("p", { class: "none" }, "This run asked nobody: its answers were made elsewhere.");
    if (number < 0) return h("p", { class: "none" }, "The prompt cannot be rendered again from what the run says of it.");
    return fold("Prompt", () => {
      const place = h("pre", { tabindex: "0" }, "…");
      load(`prompt-${number}-${chunk}`).then((texts) => { place.textContent = texts[within]; }, sqlgauge.fail);
      return place;
    });
  }

  return { show };
})();

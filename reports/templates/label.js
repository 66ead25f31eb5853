"use strict";
// The labelling page. Foreign text enters the document through textContent only.
const sheet = JSON.parse(document.getElementById("sheet").textContent);
const byId = (id) => document.getElementById(id);
const storageKey = "sqlgauge-label:" + sheet.key;
const state = { labels: {}, labeller: "", at: 0 };

function warn(text) {
  byId("message").textContent = text;
  byId("message").hidden = !text;
}

function load() {
  for (const one of sheet.labels) {
    state.labels[one.example_id] = { label: one.label, note: one.note };
    state.labeller = one.labeller || state.labeller;
  }
  if (!sheet.endpoint) {
    try {
      Object.assign(state, JSON.parse(localStorage.getItem(storageKey) || "{}"));
    } catch (error) {
      warn("This browser does not keep labels here: download them before you close the page.");
    }
  }
  const first = sheet.items.findIndex((item) => !labelOf(item));
  state.at = first < 0 ? 0 : first;
}

function keep() {
  if (sheet.endpoint) return;
  try {
    localStorage.setItem(storageKey, JSON.stringify(state));
  } catch (error) {
    warn("This browser does not keep labels here: download them before you close the page.");
  }
}

const entry = (item) => (Object.hasOwn(state.labels, item.example_id) ? state.labels[item.example_id] : null);
const labelOf = (item) => (entry(item) ? entry(item).label : null);

function record(item) {
  return {
    run_id: sheet.run_id,
    example_id: item.example_id,
    sample: item.sample,
    label: entry(item).label,
    note: entry(item).note,
    labeller: state.labeller || null,
    schema_version: sheet.schema_version,
  };
}

async function send(item) {
  if (!sheet.endpoint) return;
  try {
    const answer = await fetch(sheet.endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(record(item)),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const left = (await answer.json()).left;
    warn(left ? "" : "All are labelled and saved; the server has stopped. You may close this page.");
  } catch (error) {
    warn("Not saved: " + error.message + ". Is the server still running? Download your labels to be safe.");
  }
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function block(title, text) {
  const part = element("div");
  part.append(element("h2", title), element("pre", text));
  return part;
}

function result(found) {
  const part = element("div");
  if (!found) return part;
  if (found.problem) part.append(element("p", found.problem, "rows warning"));
  if (found.rows !== null) part.append(element("p", found.rows + (found.rows === 1 ? " row" : " rows"), "rows"));
  if (found.first_rows.length) {
    const table = element("table");
    for (const row of found.first_rows) {
      const line = element("tr");
      for (const cell of row) line.append(cell === null ? element("td", "NULL", "null") : element("td", cell));
      table.append(line);
    }
    part.append(table);
  }
  return part;
}

function folded(title, text) {
  const part = element("details");
  part.append(element("summary", title), element("pre", text));
  return part;
}

function show() {
  const item = sheet.items[state.at];
  const sides = element("div", undefined, "sides");
  const gold = element("div"), prediction = element("div");
  item.golds.forEach((sql, i) => gold.append(block(i ? "Another gold" : "Gold", sql)));
  gold.append(result(item.gold_result));
  prediction.append(block("Prediction", item.prediction === null ? "No SQL was found in the answer." : item.prediction));
  prediction.append(result(item.result));
  sides.append(gold, prediction);
  const parts = [element("p", item.question, "question")];
  if (item.evidence) parts.push(block("Hint that came with the question", item.evidence));
  parts.push(sides, folded("The whole answer", item.text), block("Schema", item.schema));
  byId("item").replaceChildren(...parts);
  byId("note").value = entry(item) ? entry(item).note : "";
  for (const button of document.querySelectorAll("[data-label]")) {
    button.setAttribute("aria-pressed", String(button.dataset.label === labelOf(item)));
  }
  const done = sheet.items.filter(labelOf).length;
  byId("progress").value = done;
  byId("count").textContent = `item ${state.at + 1} of ${sheet.items.length}, ${done} labelled`;
  if (sheet.endpoint && sheet.items.length - done === 1 && !labelOf(item)) {
    warn("This is the last one: write its note before you label it, for the server then stops.");
  }
}

function move(step) {
  state.at = Math.min(Math.max(state.at + step, 0), sheet.items.length - 1);
  keep();
  show();
}

function label(name) {
  const item = sheet.items[state.at];
  state.labels[item.example_id] = { label: name, note: byId("note").value };
  send(item);
  move(1);
  byId("item").focus();
}

function renote() {
  const item = sheet.items[state.at];
  if (!entry(item)) return;
  entry(item).note = byId("note").value;
  keep();
  send(item);
}

function download() {
  const lines = sheet.items.filter(labelOf).map((item) => JSON.stringify(record(item)) + "\n");
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = "labels.jsonl";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

load();
byId("labeller").value = state.labeller;
byId("labeller").addEventListener("change", (event) => { state.labeller = event.target.value.trim(); keep(); });
byId("note").addEventListener("change", renote);
byId("back").addEventListener("click", () => move(-1));
byId("next").addEventListener("click", () => move(1));
byId("download").addEventListener("click", download);
byId("answer").addEventListener("submit", (event) => event.preventDefault());
for (const button of document.querySelectorAll("[data-label]")) {
  button.addEventListener("click", () => label(button.dataset.label));
}
document.addEventListener("keydown", (event) => {
  if (event.target.closest("textarea, input") || event.ctrlKey || event.metaKey || event.altKey) return;
  const names = { 1: "correct", 2: "incorrect", 3: "unsure" };
  if (names[event.key]) label(names[event.key]);
  else if (event.key === "ArrowLeft") move(-1);
  else if (event.key === "ArrowRight") move(1);
});
show();

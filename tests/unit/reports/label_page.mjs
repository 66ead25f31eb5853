// Runs the labelling page's own script on a stand-in for a browser: node label_page.mjs PAGE.html KEYS
// Prints what the page shows, keeps and downloads as JSON.
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";

const html = readFileSync(process.argv[2], "utf8");
const scripts = [...html.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((found) => found[1]);
const listeners = {}, kept = {}, files = [], sent = [];

class Element {
  constructor(tag) { Object.assign(this, { tag, children: [], value: "", dataset: {}, attributes: {}, events: {}, text: "" }); }
  set textContent(text) { this.text = String(text); this.children = []; }
  get textContent() { return this.text + this.children.map((child) => child.textContent).join("\n"); }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.children = nodes; }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, call) { this.events[name] = call; }
  closest() { return null; }
  focus() {}
  click() { if (this.download) files.push(this.href); }
}

const elements = {};
for (const [, id] of html.matchAll(/ id="(\w+)"/g)) elements[id] = new Element(id);
elements.sheet.text = scripts[0];
const buttons = ["correct", "incorrect", "unsure"].map((label) => Object.assign(new Element("button"), { dataset: { label } }));
const document = {
  getElementById: (id) => elements[id],
  createElement: (tag) => new Element(tag),
  querySelectorAll: () => buttons,
  addEventListener: (name, call) => { listeners[name] = call; },
};
const world = {
  document,
  localStorage: { getItem: (key) => kept[key] ?? null, setItem: (key, value) => { kept[key] = value; } },
  URL: { createObjectURL: (blob) => blob.parts.join(""), revokeObjectURL() {} },
  Blob: class { constructor(parts) { this.parts = parts; } },
  setTimeout() {},
  fetch: async (url, options) => { sent.push([url, options.body]); return { ok: true, json: async () => ({ left: 1 }) }; },
};
createContext(world);
const start = () => runInContext(`{${scripts[1]}}`, world);
start();
const shown = [elements.item.textContent];
for (const key of process.argv[3]) {
  elements.note.value = "note " + key;
  listeners.keydown({ key, target: elements.item });
  shown.push(elements.item.textContent);
}
start(); // the page is opened again
elements.download.events.click();
console.log(JSON.stringify({ shown, files, sent, count: elements.count.textContent, at: elements.item.textContent }));

// Shared by all pages: loading shards, building elements, colouring SQL. Text from data only ever becomes text nodes.
"use strict";

const sqlgauge = (() => {
  const waiting = new Map();
  const kept = new Map();
  const KEPT = 240;
  const NAME = /^(?:[\w.-]+\/)?data\/[\w-]+\.js$/;
  // Where the browser enforces Trusted Types, this policy is the only way to a script, and it knows shards only.
  const rules = { createScriptURL: (url) => { if (!NAME.test(url)) throw new TypeError(`no shard: ${url}`); return url; } };
  const policy = window.trustedTypes ? window.trustedTypes.createPolicy("shards", rules) : rules;

  /** The content of the shard data/NAME.js, loaded once. Rejects with a sentence for people. */
  function load(name, folder = "") {
    if (kept.has(name)) return kept.get(name);
    const promise = new Promise((resolve, reject) => {
      waiting.set(name, resolve);
      const script = document.createElement("script");
      script.src = policy.createScriptURL(`${folder}data/${name}.js`);
      script.onload = () => { script.remove(); if (waiting.delete(name)) reject(new Error(`${name}.js holds something else.`)); };
      script.onerror = () => { script.remove(); waiting.delete(name); kept.delete(name); reject(new Error(`The file data/${name}.js cannot be read. Is the site's folder complete?`)); };
      document.head.append(script);
    });
    kept.set(name, promise);
    if (kept.size > KEPT) kept.delete(kept.keys().next().value);
    return promise;
  }

  /** Called by shards. */
  function put(name, json) {
    const resolve = waiting.get(name);
    if (resolve && waiting.delete(name)) resolve(JSON.parse(json));
  }

  /** An element. Attributes that are null are left out; children are nodes or texts. */
  function h(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : String(value));
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
  }

  /** The fields of the address after #, and an address with some of them changed (null: left out). */
  const fields = () => new URLSearchParams(location.hash.slice(1));
  function address(changes, from = fields()) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") from.delete(name);
      else from.set(name, value);
    }
    return `#${from}`;
  }

  const percent = (value) => (value === null || Number.isNaN(value) ? "–" : `${(100 * value).toFixed(1)}%`);
  const points = (value) => (value === null || Number.isNaN(value) ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(100 * value).toFixed(1)}`);

  /** The 95% score interval of Wilson (1927) for `right` of `n`. */
  function wilson(right, n) {
    if (!n) return [NaN, NaN];
    const z = 1.959963984540054, p = right / n, d = 1 + (z * z) / n;
    const middle = (p + (z * z) / (2 * n)) / d, half = (z / d) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
    return [Math.max(0, middle - half), Math.min(1, middle + half)];
  }

  // What a letter of an outcome column means: a sign, a word, a class.
  const OUTCOMES = {
    r: ["✓", "right", "right"], w: ["✗", "wrong", "wrong"], p: ["◐", "partly right", "partly"],
    x: ["!", "no value", "novalue"], "-": ["·", "no answer", "absent"],
  };
  function outcome(letter) {
    const [sign, word, kind] = OUTCOMES[letter] || OUTCOMES["-"];
    return h("span", { class: `outcome ${kind}`, title: word }, h("span", { "aria-hidden": "true" }, sign), h("span", { class: "unseen" }, word));
  }

  /** Puts what went wrong where people see it. */
  function fail(error) {
    const place = document.getElementById("problem");
    place.hidden = false;
    place.textContent = error.message;
  }

  return { load, put, h, fields, address, percent, points, wilson, outcome, fail };
})();

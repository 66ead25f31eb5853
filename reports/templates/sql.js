// SQL as coloured elements, and two statements with the words marked in which they differ.
"use strict";

const sqltext = (() => {
  const { h } = sqlgauge;
  const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$))|("(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\[[^\]\n]*\])|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([\p{L}_][\p{L}\p{N}_$]*)|(\s+)|(<>|<=|>=|!=|==|\|\||::|[\s\S])/uy;
  const KINDS = ["comment", "text", "quoted", "number", "word", "space", "sign"];
  const KEYWORDS = new Set(("all and any as asc begin between by case cast check collate column constraint create cross current " +
    "database default delete desc distinct drop else end except exists fetch filter following for foreign from full group having if ilike in " +
    "index inner insert intersect interval into is join key lateral left like limit natural not null nulls offset on or order outer over " +
    "partition preceding primary range recursive references replace returning right row rows select set table then to true false unbounded union " +
    "unique update using values view when where window with").split(" "));
  const MOST = 3_000_000;

  /** {kind, text} of each piece; together they are the text. */
  function tokens(sql) {
    const found = [];
    TOKEN.lastIndex = 0;
    while (TOKEN.lastIndex < sql.length) {
      const match = TOKEN.exec(sql);
      const place = match.slice(1).findIndex((group) => group !== undefined);
      const text = match[0];
      const kind = KINDS[place] === "word" && KEYWORDS.has(text.toLowerCase()) ? "keyword" : KINDS[place];
      found.push({ kind, text });
    }
    return found;
  }

  const same = (a, b) => a.text === b.text || ((a.kind === "keyword" || a.kind === "word") && a.text.toLowerCase() === b.text.toLowerCase());

  /** Which tokens of two lists have no partner in a longest common subsequence; null where that would take too long. */
  function unmatched(a, b) {
    if (a.length * b.length > MOST) return null;
    const width = b.length + 1, best = new Uint16Array((a.length + 1) * width);
    for (let i = a.length - 1; i >= 0; i -= 1) {
      for (let j = b.length - 1; j >= 0; j -= 1) {
        best[i * width + j] = same(a[i], b[j]) ? best[(i + 1) * width + j + 1] + 1 : Math.max(best[(i + 1) * width + j], best[i * width + j + 1]);
      }
    }
    const alone = [new Set(a), new Set(b)];
    for (let i = 0, j = 0; i < a.length && j < b.length;) {
      if (same(a[i], b[j])) { alone[0].delete(a[i]); alone[1].delete(b[j]); i += 1; j += 1; }
      else if (best[(i + 1) * width + j] >= best[i * width + j + 1]) i += 1;
      else j += 1;
    }
    return alone;
  }

  const piece = ({ kind, text }) => (kind === "space" || kind === "sign" || kind === "word" ? text : h("span", { class: `sql-${kind}` }, text));

  function block(found, marked, label) {
    const parts = [];
    let open = null, spaces = [];
    for (const token of found) {
      if (open && token.kind === "space") { spaces.push(piece(token)); continue; } // inside, if what follows is marked too
      const mark = marked !== null && marked.has(token);
      if (mark && open) open.append(...spaces); else parts.push(...spaces);
      spaces = [];
      if (mark && !open) { open = h("mark", { class: label }); parts.push(open); }
      if (!mark) open = null;
      if (mark) open.append(piece(token)); else parts.push(piece(token));
    }
    parts.push(...spaces);
    return h("pre", { class: "sql", tabindex: "0" }, h("code", {}, parts));
  }

  /** One statement, coloured. */
  const coloured = (sql) => block(tokens(sql), null, "");

  /** Gold and prediction, coloured, with what only one of them has marked. */
  function compared(gold, prediction) {
    const [a, b] = [tokens(gold), tokens(prediction)];
    const meant = (list) => list.filter((token) => token.kind !== "space" && token.kind !== "comment" && token.text !== ";");
    const alone = unmatched(meant(a), meant(b)) || [null, null];
    return [block(a, alone[0], "gone"), block(b, alone[1], "new")];
  }

  return { coloured, compared, tokens };
})();

/** What billing was told, by payer, instrument and code. */

import { byId, say } from "./element.js";
import { numberColumn, SortableTable } from "./sortable_table.js";
import { countText } from "./wording.js";

/**
 * @typedef {object} Line
 * @property {string} payer
 * @property {string} instrument
 * @property {string} code
 * @property {number} new
 * @property {number} replace
 * @property {number} void
 */

/** @typedef {"new" | "replace" | "void"} Action */

/** @type {readonly import("./sortable_table.js").Column<Line>[]} */
const COLUMNS = [
  { title: "Payer", value: (line) => line.payer },
  { title: "Instrument", value: (line) => line.instrument },
  { title: "Code", value: (line) => line.code },
  numberColumn("New", (line) => line.new, countText),
  numberColumn("Replace", (line) => line.replace, countText),
  numberColumn("Void", (line) => line.void, countText),
];

export class Codings {
  constructor() {
    this._table = new SortableTable(byId("codings"), {
      caption: "Coding events by payer, instrument and code",
      columns: COLUMNS,
      empty: "No coding event since the workers started.",
      sort: { column: 3, descending: true },
      rowPixels: 24,
    });
  }

  /** @param {GroupView} view */
  show(view) {
    const lines = linesOf(view.codings);
    this._table.show(lines);
    const sum = (/** @type {Action} */ action) => lines.reduce((total, line) => total + line[action], 0);
    const corrections = sum("replace") + sum("void");
    say(
      byId("corrections"),
      lines.length > 0 ? `${countText(sum("new"))} new, ${countText(corrections)} corrections` : "",
    );
  }
}

/**
 * @param {readonly CodingCount[]} counts
 * @returns {Line[]}
 */
function linesOf(counts) {
  /** @type {Map<string, Line>} */
  const lines = new Map();
  for (const { action, code, instrument, payer, count } of counts) {
    const key = JSON.stringify([payer, instrument, code]);
    const line = lines.get(key) ?? { payer, instrument, code, new: 0, replace: 0, void: 0 };
    if (action === "new" || action === "replace" || action === "void") line[action] += count;
    lines.set(key, line);
  }
  return [...lines.values()];
}

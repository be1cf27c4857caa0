/** A chart of lines over time, one unit, from zero up. */

import { drawing, element, say } from "./element.js";
import { COLUMN_MS } from "./history.js";
import { clockText } from "./wording.js";

const WIDTH = 900;
const HEIGHT = 100;
const GAP_MS = 3 * COLUMN_MS;

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} mark Its class.
 * @property {(column: HistoryColumn) => number} value
 */

/**
 * @typedef {object} LineChartLayout
 * @property {string} title
 * @property {readonly Series[]} series
 * @property {readonly number[]} tops Where the scale may end.
 * @property {(value: number) => string} text
 */

export class LineChart {
  /**
   * @param {HTMLElement} container
   * @param {LineChartLayout} layout
   */
  constructor(container, layout) {
    this._layout = layout;
    this._grid = drawing("g", { class: "grid" });
    this._limit = drawing("path", { class: "limit" });
    this._lines = layout.series.map((series) => drawing("path", { class: `series ${series.mark}` }));
    this._cursor = drawing("path", { class: "cursor-line" });
    this._plot = drawing(
      "svg",
      { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" },
      this._grid,
      this._limit,
      ...this._lines,
      this._cursor,
    );
    this._top = element("span");
    this._half = element("span");
    const scale = element(
      "div",
      { class: "scale", "aria-hidden": "true" },
      this._top,
      this._half,
      element("span", {}, "0"),
    );
    this._values = layout.series.map(() => element("b"));
    this._limitKey = element("span", { class: "key limit", hidden: "" });
    const legend = layout.series.map((series, place) =>
      element("span", { class: `key ${series.mark}` }, series.name, " ", /** @type {Node} */ (this._values[place])),
    );
    container.append(
      element(
        "figure",
        { class: "line-chart" },
        element("figcaption", {}, element("span", { class: "chart-title" }, layout.title), ...legend, this._limitKey),
        scale,
        this._plot,
      ),
    );
  }

  /** Where a pointer may be. */
  get plot() {
    return this._plot;
  }

  /**
   * @param {readonly HistoryColumn[]} columns
   * @param {import("./time_axis.js").TimeAxis} axis
   * @param {number | null} [limit] Drawn as a line.
   */
  draw(columns, axis, limit = null) {
    const { series, text, tops, title } = this._layout;
    const highest = Math.max(0, ...series.flatMap(({ value }) => columns.map(value)));
    const top = tops.find((candidate) => candidate >= highest) ?? highest;
    say(this._top, text(top));
    say(this._half, text(top / 2));
    const x = (/** @type {number} */ atMs) => WIDTH * axis.share(atMs);
    const y = (/** @type {number} */ value) => HEIGHT * (1 - value / top);
    this._grid.replaceChildren(
      ...axis.ticks().map((tick) => drawing("path", { d: `M${x(tick).toFixed(1)} 0V${HEIGHT}` })),
      drawing("path", { d: `M0 ${HEIGHT / 2}H${WIDTH}` }),
    );
    this._limitKey.hidden = limit === null;
    if (limit !== null) say(this._limitKey, `behind from ${text(limit)}`);
    this._limit.setAttribute("d", limit !== null && limit <= top ? `M0 ${y(limit).toFixed(1)}H${WIDTH}` : "");
    for (const [place, line] of this._lines.entries()) {
      const { value } = /** @type {Series} */ (series[place]);
      line.setAttribute(
        "d",
        pathOf(columns, (column) => [x(column.at_ms), y(value(column))]),
      );
    }
    this._plot.setAttribute("aria-label", `${title}. ${series.map((one) => this._summary(one, columns)).join(" ")}`);
  }

  /**
   * Tell the values of one column.
   * @param {HistoryColumn | undefined} column
   * @param {number | null} cursor How far along a line shows which column it is.
   */
  look(column, cursor) {
    const { series, text } = this._layout;
    this._cursor.setAttribute("d", cursor === null ? "" : `M${(WIDTH * cursor).toFixed(1)} 0V${HEIGHT}`);
    for (const [place, cell] of this._values.entries()) {
      say(cell, column === undefined ? "" : text(/** @type {Series} */ (series[place]).value(column)));
    }
  }

  /**
   * @param {Series} series
   * @param {readonly HistoryColumn[]} columns
   */
  _summary({ name, value }, columns) {
    const last = columns.at(-1);
    if (last === undefined) return "No figures yet.";
    const peak = columns.reduce((best, column) => (value(column) > value(best) ? column : best), last);
    const text = this._layout.text;
    return `${name}: ${text(value(last))} now, ${text(value(peak))} at most, at ${clockText(peak.at_ms)}.`;
  }
}

/**
 * A line through the columns, broken where some are missing.
 * @param {readonly HistoryColumn[]} columns
 * @param {(column: HistoryColumn) => [number, number]} point
 */
function pathOf(columns, point) {
  let before = -Infinity;
  return columns
    .map((column) => {
      const [x, y] = point(column);
      const command = column.at_ms - before > GAP_MS ? "M" : "L";
      before = column.at_ms;
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

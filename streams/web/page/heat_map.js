/** Partitions over time: how old was the oldest record that waited in each? */

import { element } from "./element.js";
import { COLUMN_MS, COLUMNS_MAX } from "./history.js";
import { durationText } from "./wording.js";

const HEIGHT_MAX = 240;
const ROWS_MAX = 80;
const ROW_PIXELS_MAX = 16;
const ROW_PIXELS_LABELLED = 12;
const LIMITS = [0, 0.25, 1, 5];

export class HeatMap {
  /** @param {HTMLElement} container */
  constructor(container) {
    this._canvas = element("canvas", { class: "plot", role: "img" });
    this._scale = element("div", { class: "scale", "aria-hidden": "true" });
    this._legend = element("span", { class: "legend" });
    /** @type {HTMLElement[]} Their colours are the palette. */
    this._swatches = [];
    this._none = element("i");
    /** @type {number[]} From which age on a colour stands, in seconds. */
    this._limits = [];
    this._count = 1;
    this._partitionsPerRow = 1;
    /** @type {WeakMap<HistoryColumn, Map<number, number>>} A column does not change: its rows are worked out once. */
    this._rows = new WeakMap();
    this._cursor = element("i", { class: "cursor-mark", hidden: "" });
    container.append(
      element(
        "figure",
        { class: "heat-chart" },
        element(
          "figcaption",
          {},
          element("span", { class: "chart-title" }, "Oldest waiting, by partition"),
          this._legend,
        ),
        this._scale,
        element("div", { class: "plot-frame" }, this._canvas, this._cursor),
      ),
    );
  }

  /** Where a pointer may be. */
  get plot() {
    return this._canvas;
  }

  /**
   * @param {readonly HistoryColumn[]} columns
   * @param {import("./time_axis.js").TimeAxis} axis
   * @param {GroupView} view
   */
  draw(columns, axis, view) {
    this._setLimits(view.lag_seconds_high);
    const numbers = view.partitions.map(([, partition]) => partition);
    this._setCount(Math.max(0, ...numbers) + 1);
    const rowCount = Math.ceil(this._count / this._partitionsPerRow);
    const rowPixels = Math.max(3, Math.min(ROW_PIXELS_MAX, Math.floor(HEIGHT_MAX / rowCount)));
    this._canvas.style.height = `${rowCount * rowPixels}px`;
    this._label(rowPixels >= ROW_PIXELS_LABELLED && this._partitionsPerRow === 1);
    this._paint(columns, axis, numbers, rowCount);
    this._canvas.ariaLabel = summaryOf(view);
  }

  /**
   * Mark an instant.
   * @param {number | null} cursor How far along.
   */
  look(cursor) {
    this._cursor.hidden = cursor === null;
    this._cursor.style.setProperty("--at", `${cursor}`);
  }

  /**
   * Which partitions are at that height of the plot?
   * @param {number} share From 0, the top, to 1.
   * @returns {[number, number]} The first and the last.
   */
  partitionsAt(share) {
    const row = Math.floor(share * Math.ceil(this._count / this._partitionsPerRow));
    const first = row * this._partitionsPerRow;
    return [first, Math.min(first + this._partitionsPerRow, this._count) - 1];
  }

  /** @param {number} count Of partitions. */
  _setCount(count) {
    if (count === this._count) return;
    this._count = count;
    this._partitionsPerRow = Math.ceil(count / ROWS_MAX);
    this._rows = new WeakMap();
  }

  /** @param {boolean} isEvery Whether there is room for every partition. */
  _label(isEvery) {
    const count = this._count;
    const numbers = isEvery ? Array.from({ length: count }, (_, partition) => partition) : [0, count - 1];
    if (this._scale.childElementCount === numbers.length && this._scale.lastChild?.textContent === `${count - 1}`)
      return;
    this._scale.classList.toggle("every", isEvery);
    this._scale.replaceChildren(...numbers.map((partition) => element("span", {}, `${partition}`)));
  }

  /** @param {number} high From which age on the group counts as behind. */
  _setLimits(high) {
    const limits = LIMITS.map((times) => times * high);
    if (`${limits}` === `${this._limits}`) return;
    this._limits = limits;
    this._swatches = limits.map((_, level) => element("i", { class: `swatch heat-${level}` }));
    const texts = limits.map((limit, level) => {
      const next = limits[level + 1];
      return next === undefined ? `${durationText(limit)} or more` : `under ${durationText(next)}`;
    });
    this._none = element("i", { class: "swatch heat-none" });
    this._legend.replaceChildren(
      element("span", { class: "key" }, this._none, " none"),
      ...this._swatches.map((swatch, level) => element("span", { class: "key" }, swatch, ` ${texts[level]}`)),
    );
  }

  /**
   * @param {readonly HistoryColumn[]} columns
   * @param {import("./time_axis.js").TimeAxis} axis
   * @param {readonly number[]} numbers The partition by its place in the view.
   * @param {number} rowCount
   */
  _paint(columns, axis, numbers, rowCount) {
    const scale = devicePixelRatio;
    this._canvas.width = Math.round(this._canvas.clientWidth * scale);
    this._canvas.height = Math.round(this._canvas.clientHeight * scale);
    const paint = this._canvas.getContext("2d");
    if (paint === null) return;
    const { width, height } = this._canvas;
    const none = getComputedStyle(this._none).backgroundColor;
    const palette = this._swatches.map((swatch) => getComputedStyle(swatch).backgroundColor);
    const cellWidth = Math.ceil(width / COLUMNS_MAX);
    const edge = (/** @type {number} */ row) => Math.round((height * row) / rowCount);
    const gap = height / rowCount >= 6 * scale ? Math.round(scale) : 0;
    for (const column of columns) {
      const left = Math.round(width * axis.share(column.at_ms - COLUMN_MS));
      paint.fillStyle = none;
      paint.fillRect(left, 0, cellWidth, height);
      for (const [row, seconds] of this._rowsOf(column, numbers)) {
        paint.fillStyle = palette[this._level(seconds)] ?? "transparent";
        paint.fillRect(left, edge(row), cellWidth, edge(row + 1) - edge(row) - gap);
      }
    }
  }

  /**
   * The oldest of each row in which something waited.
   * @param {HistoryColumn} column
   * @param {readonly number[]} numbers
   */
  _rowsOf(column, numbers) {
    const known = this._rows.get(column);
    if (known !== undefined) return known;
    /** @type {Map<number, number>} */
    const rows = new Map();
    this._rows.set(column, rows);
    for (const [place, seconds] of Object.entries(column.partitions)) {
      const partition = numbers[Number(place)];
      if (partition === undefined) continue;
      const row = Math.floor(partition / this._partitionsPerRow);
      rows.set(row, Math.max(rows.get(row) ?? 0, seconds));
    }
    return rows;
  }

  /** @param {number} seconds */
  _level(seconds) {
    return this._limits.findLastIndex((limit) => seconds >= limit);
  }
}

/** @param {GroupView} view */
function summaryOf(view) {
  const lagging = view.partitions.filter(([, , records]) => records > 0);
  if (lagging.length === 0) return `Age of the oldest waiting record by partition and time. Nothing waits now.`;
  const worst = lagging.reduce((a, b) => (b[3] > a[3] ? b : a));
  return (
    `Age of the oldest waiting record by partition and time. Records wait in ${lagging.length} of ` +
    `${view.partitions.length} partitions now; the oldest, for ${durationText(worst[3])}, in ${worst[0]}-${worst[1]}.`
  );
}

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
    this._partitionsPerRow = 1;
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
        this._canvas,
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
   * @param {number | null} cursorAtMs Where a line shows what is looked at.
   */
  draw(columns, axis, view, cursorAtMs) {
    this._setLimits(view.lag_seconds_high);
    const numbers = view.partitions.map(([, partition]) => partition);
    const count = Math.max(0, ...numbers) + 1;
    this._partitionsPerRow = Math.ceil(count / ROWS_MAX);
    const rowCount = Math.ceil(count / this._partitionsPerRow);
    const rowPixels = Math.max(3, Math.min(ROW_PIXELS_MAX, Math.floor(HEIGHT_MAX / rowCount)));
    this._canvas.style.height = `${rowCount * rowPixels}px`;
    this._label(count, rowPixels >= ROW_PIXELS_LABELLED && this._partitionsPerRow === 1);
    this._paint(columns, axis, numbers, rowCount, cursorAtMs);
    this._canvas.ariaLabel = summaryOf(view);
  }

  /**
   * Which partitions are at that height of the plot?
   * @param {number} share From 0, the top, to 1.
   * @param {number} count How many there are.
   * @returns {[number, number]} The first and the last.
   */
  partitionsAt(share, count) {
    const row = Math.floor(share * Math.ceil(count / this._partitionsPerRow));
    const first = row * this._partitionsPerRow;
    return [first, Math.min(first + this._partitionsPerRow, count) - 1];
  }

  /**
   * @param {number} count
   * @param {boolean} isEvery Whether there is room for every partition.
   */
  _label(count, isEvery) {
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
   * @param {number | null} cursorAtMs
   */
  _paint(columns, axis, numbers, rowCount, cursorAtMs) {
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
    if (cursorAtMs === null) return;
    paint.fillStyle = getComputedStyle(this._canvas).color;
    paint.fillRect(Math.round(width * axis.share(cursorAtMs)) - Math.ceil(scale), 0, Math.ceil(scale), height);
  }

  /**
   * The oldest of each row in which something waited.
   * @param {HistoryColumn} column
   * @param {readonly number[]} numbers
   */
  _rowsOf(column, numbers) {
    /** @type {Map<number, number>} */
    const rows = new Map();
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

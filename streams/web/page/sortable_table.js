/** Tables that are sorted by their headers, and that hold no more rows than can be seen. */

import { element, say } from "./element.js";

const SPARE_ROWS = 20;

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} title
 * @property {(row: Row) => string | number} value To sort by; also what is shown, where nothing else says so.
 * @property {(row: Row) => string} [text] What is shown.
 * @property {(row: Row) => Node} [node] What is shown, where text is not enough.
 * @property {(row: Row) => string} [mark] A class for the cell.
 * @property {boolean} [isNumber]
 */

/**
 * @template Row
 * @typedef {object} TableLayout
 * @property {string} caption
 * @property {readonly Column<Row>[]} columns The first is the header of its row.
 * @property {string} empty What is said where there is no row.
 * @property {{column: number, descending: boolean}} sort At first.
 * @property {number} [rowPixels] The height of a row; where it is given only rows in sight are made.
 */

/**
 * A column of numbers.
 * @template Row
 * @param {string} title
 * @param {(row: Row) => number} value
 * @param {(value: number) => string} text
 * @returns {Column<Row>}
 */
export function numberColumn(title, value, text) {
  return { title, value, text: (row) => text(value(row)), isNumber: true };
}

/** @template Row */
export class SortableTable {
  /**
   * @param {HTMLElement} container Where it scrolls.
   * @param {TableLayout<Row>} layout
   */
  constructor(container, layout) {
    this._container = container;
    this._layout = layout;
    this._sort = layout.sort;
    /** @type {Row[]} */
    this._rows = [];
    /** @type {HTMLTableRowElement[]} */
    this._made = [];
    this._headers = layout.columns.map((column, place) => this._header(column, place));
    this._before = spacer(layout.columns.length);
    this._after = spacer(layout.columns.length);
    this._body = element("tbody", {});
    this._empty = element("p", { class: "empty" }, layout.empty);
    this._table = element(
      "table",
      {},
      element("caption", { class: "visually-hidden" }, layout.caption),
      element("thead", {}, element("tr", {}, ...this._headers)),
      this._body,
    );
    container.append(this._table, this._empty);
    container.tabIndex = 0;
    container.role = "region";
    container.ariaLabel = layout.caption;
    container.addEventListener("scroll", () => this._draw(), { passive: true });
    this._markSort();
    this.show([]);
  }

  /**
   * Show these, in the order that was chosen.
   * @param {readonly Row[]} rows
   */
  show(rows) {
    const column = /** @type {Column<Row>} */ (this._layout.columns[this._sort.column]);
    const sign = this._sort.descending ? -1 : 1;
    this._rows = [...rows].sort((a, b) => sign * compare(column.value(a), column.value(b)));
    this._table.hidden = rows.length === 0;
    this._empty.hidden = rows.length > 0;
    this._table.ariaRowCount = `${rows.length + 1}`;
    this._draw();
  }

  /** Make the rows that are in sight. */
  _draw() {
    const { first, last } = this._inSight();
    while (this._made.length < last - first) this._made.push(this._row());
    this._made.length = last - first;
    for (const [place, made] of this._made.entries()) {
      made.ariaRowIndex = `${first + place + 2}`;
      this._fill(made, /** @type {Row} */ (this._rows[first + place]));
    }
    const pixels = this._layout.rowPixels ?? 0;
    this._before.height = first * pixels;
    this._after.height = (this._rows.length - last) * pixels;
    const wanted = [this._before.row, ...this._made, this._after.row];
    if (wanted.length !== this._body.rows.length) this._body.replaceChildren(...wanted);
  }

  _inSight() {
    const count = this._rows.length;
    const pixels = this._layout.rowPixels;
    if (pixels === undefined) return { first: 0, last: count };
    const top = Math.floor(this._container.scrollTop / pixels);
    const fitting = Math.ceil(this._container.clientHeight / pixels);
    const first = Math.max(0, Math.min(top - SPARE_ROWS, count - fitting - SPARE_ROWS));
    return { first, last: Math.min(count, top + fitting + SPARE_ROWS) };
  }

  _row() {
    const [, ...others] = this._layout.columns;
    return element("tr", {}, element("th", { scope: "row" }), ...others.map(() => element("td")));
  }

  /**
   * @param {HTMLTableRowElement} made
   * @param {Row} row
   */
  _fill(made, row) {
    for (const [place, column] of this._layout.columns.entries()) {
      const cell = /** @type {HTMLTableCellElement} */ (made.cells[place]);
      const classes = [column.isNumber ? "number" : "", column.mark?.(row) ?? ""].join(" ").trim();
      if (cell.className !== classes) cell.className = classes;
      if (column.node !== undefined) cell.replaceChildren(column.node(row));
      else say(cell, column.text?.(row) ?? `${column.value(row)}`);
    }
  }

  /**
   * @param {Column<Row>} column
   * @param {number} place
   */
  _header(column, place) {
    const button = element("button", { type: "button" }, column.title);
    button.addEventListener("click", () => this._sortBy(place));
    return element("th", { scope: "col", class: column.isNumber ? "number" : "" }, button);
  }

  /** @param {number} place */
  _sortBy(place) {
    const isAgain = this._sort.column === place;
    const isNumber = this._layout.columns[place]?.isNumber ?? false;
    this._sort = { column: place, descending: isAgain ? !this._sort.descending : isNumber };
    this._markSort();
    this._container.scrollTop = 0;
    this.show(this._rows);
  }

  _markSort() {
    for (const [place, header] of this._headers.entries()) {
      const direction = this._sort.descending ? "descending" : "ascending";
      header.ariaSort = place === this._sort.column ? direction : "none";
    }
  }
}

/**
 * @param {string | number} a
 * @param {string | number} b
 */
function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return `${a}`.localeCompare(`${b}`, undefined, { numeric: true });
}

/**
 * A row that stands for those out of sight.
 * @param {number} columnCount
 */
function spacer(columnCount) {
  const cell = element("td", { colspan: `${columnCount}` });
  const row = element("tr", { class: "spacer", "aria-hidden": "true" }, cell);
  return {
    row,
    /** @param {number} pixels */
    set height(pixels) {
      row.hidden = pixels <= 0;
      cell.style.height = `${pixels}px`;
    },
  };
}

/** The time that all charts share, and the place in it that is looked at. */

import { element } from "./element.js";
import { COLUMN_MS, COLUMNS_MAX } from "./history.js";
import { minuteText } from "./wording.js";

const TICK_MS = 180_000;
const LABEL_SHARE_MAX = 0.97;

export class TimeAxis {
  /** @param {number} endMs */
  constructor(endMs) {
    this.endMs = endMs;
    this.startMs = endMs - COLUMN_MS * COLUMNS_MAX;
  }

  /**
   * How far along an instant is, from 0 to 1.
   * @param {number} atMs
   */
  share(atMs) {
    return (atMs - this.startMs) / (this.endMs - this.startMs);
  }

  /**
   * The instant that far along.
   * @param {number} share
   */
  instant(share) {
    return this.startMs + share * (this.endMs - this.startMs);
  }

  /** Round instants for its labels. */
  ticks() {
    const ticks = [];
    for (let at = Math.ceil(this.startMs / TICK_MS) * TICK_MS; at <= this.endMs; at += TICK_MS) ticks.push(at);
    return ticks;
  }

  /** Its labels, as a line below a chart. */
  labels() {
    const line = element("div", { class: "time-axis", "aria-hidden": "true" });
    for (const tick of this.ticks().filter((one) => this.share(one) < LABEL_SHARE_MAX)) {
      const label = element("span", {}, minuteText(tick));
      label.style.setProperty("--at", `${this.share(tick)}`);
      line.append(label);
    }
    return line;
  }
}

/**
 * The place of the column nearest to an instant.
 * @param {readonly HistoryColumn[]} columns
 * @param {number} atMs
 */
export function nearestColumn(columns, atMs) {
  let nearest = 0;
  for (const [place, column] of columns.entries()) {
    const best = /** @type {HistoryColumn} */ (columns[nearest]);
    if (Math.abs(column.at_ms - atMs) < Math.abs(best.at_ms - atMs)) nearest = place;
  }
  return nearest;
}

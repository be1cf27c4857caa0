/** The last quarter of an hour, in columns of ten seconds: as the worker tells it, and carried on from its views. */

export const COLUMN_MS = 10_000;
export const COLUMNS_MAX = 90;

export class LagHistory {
  constructor() {
    /** @type {HistoryColumn[]} The oldest first. */
    this.columns = [];
  }

  /**
   * Begin with what the worker remembers.
   * @param {readonly HistoryColumn[]} columns
   */
  begin(columns) {
    const end = columns.at(-1)?.at_ms ?? 0;
    this.columns = [...columns, ...this.columns.filter((column) => column.at_ms > end)].slice(-COLUMNS_MAX);
  }

  /**
   * Take in a view: it overwrites the last of its column. One without news of the brokers says nothing.
   * @param {GroupView} view
   */
  take(view) {
    if (view.broker_trouble !== null || view.group_state === null) return;
    const last = this.columns.at(-1);
    if (last !== undefined && view.at_ms <= last.at_ms) return;
    if (last !== undefined && columnOf(last.at_ms) === columnOf(view.at_ms)) this.columns.pop();
    this.columns.push(columnFrom(view));
    this.columns = this.columns.slice(-COLUMNS_MAX);
  }
}

/** @param {number} atMs */
const columnOf = (atMs) => Math.floor(atMs / COLUMN_MS);

/**
 * @param {GroupView} view
 * @returns {HistoryColumn}
 */
function columnFrom(view) {
  const waiting = view.partitions.flatMap(([, , , seconds], place) => (seconds > 0 ? [[place, seconds]] : []));
  return {
    at_ms: view.at_ms,
    lag_records: view.lag_records,
    lag_seconds: view.lag_seconds,
    in_per_second: view.in_per_second ?? 0,
    out_per_second: view.out_per_second ?? 0,
    partitions: Object.fromEntries(waiting),
  };
}

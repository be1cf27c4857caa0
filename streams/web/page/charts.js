/** The last quarter of an hour: charts that share their time, and one cursor through all of them. */

import { byId, say } from "./element.js";
import { HeatMap } from "./heat_map.js";
import { LineChart } from "./line_chart.js";
import { nearestColumn, TimeAxis } from "./time_axis.js";
import { clockText, countText, durationText, rateText, recordsText } from "./wording.js";

const SECONDS = [
  10, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 172_800, 604_800,
];
const COUNTS = Array.from({ length: 12 }, (_, power) => [1, 2, 3, 5].map((digit) => digit * 10 ** (power + 1))).flat();
const WORST = 3;

export class Charts {
  constructor() {
    const lines = byId("line-charts");
    this._lag = new LineChart(lines, {
      title: "Lag in time",
      series: [{ name: "oldest waiting", mark: "lag", value: (column) => column.lag_seconds }],
      tops: SECONDS,
      text: (seconds) => (seconds === 0 ? "0 s" : durationText(seconds)),
    });
    this._records = new LineChart(lines, {
      title: "Lag in records",
      series: [{ name: "waiting", mark: "lag", value: (column) => column.lag_records }],
      tops: COUNTS,
      text: countText,
    });
    this._throughput = new LineChart(lines, {
      title: "Throughput",
      series: [
        { name: "in", mark: "in", value: (column) => column.in_per_second },
        { name: "out", mark: "out", value: (column) => column.out_per_second },
      ],
      tops: COUNTS,
      text: rateText,
    });
    this._lineCharts = [this._lag, this._records, this._throughput];
    this._heatMap = new HeatMap(byId("heat-map"));
    this._axes = ["line-charts", "heat-map"].map((id) => {
      const labels = new TimeAxis(0).labels();
      byId(id).append(labels);
      return labels;
    });
    /** @type {HTMLInputElement} */
    this._slider = byId("cursor");
    this._readout = byId("readout");
    /** @type {readonly HistoryColumn[]} */
    this._columns = [];
    /** @type {GroupView | null} */
    this._view = null;
    this._axis = new TimeAxis(0);
    /** @type {number | null} The instant that is looked at; null: now. */
    this._lookedAtMs = null;
    /** @type {[number, number] | null} The partitions under the pointer. */
    this._pointed = null;
    this._listen();
  }

  /**
   * @param {readonly HistoryColumn[]} columns
   * @param {GroupView} view
   */
  show(columns, view) {
    this._columns = columns;
    this._view = view;
    this._axis = new TimeAxis(view.at_ms);
    for (const [place, old] of this._axes.entries()) {
      const labels = this._axis.labels();
      old.replaceWith(labels);
      this._axes[place] = labels;
    }
    this._slider.max = `${Math.max(0, columns.length - 1)}`;
    this._lag.draw(columns, this._axis, view.lag_seconds_high);
    this._records.draw(columns, this._axis);
    this._throughput.draw(columns, this._axis);
    this._heatMap.draw(columns, this._axis, view);
    this._look();
  }

  /** Tell of the column that is looked at: the last, where none is. */
  _look() {
    if (this._view === null) return;
    const last = this._columns.length - 1;
    const place = this._lookedAtMs === null ? last : nearestColumn(this._columns, this._lookedAtMs);
    const column = this._columns[place];
    const cursor = this._lookedAtMs === null || column === undefined ? null : this._axis.share(column.at_ms);
    for (const chart of this._lineCharts) chart.look(column, cursor);
    this._heatMap.look(cursor);
    const text = this._readoutText(this._view, column);
    say(this._readout, text);
    this._slider.value = `${place}`;
    this._slider.ariaValueText = text;
  }

  _listen() {
    this._slider.addEventListener("input", () => {
      const place = Number(this._slider.value);
      this._lookedAtMs = place >= this._columns.length - 1 ? null : (this._columns[place]?.at_ms ?? null);
      this._look();
    });
    for (const plot of [...this._lineCharts, this._heatMap].map((chart) => chart.plot)) {
      plot.addEventListener("pointermove", (event) => this._point(/** @type {PointerEvent} */ (event), plot));
      plot.addEventListener("pointerleave", () => {
        this._lookedAtMs = null;
        this._pointed = null;
        this._look();
      });
    }
    const redraw = () => this._view !== null && this.show(this._columns, this._view);
    new ResizeObserver(redraw).observe(this._heatMap.plot);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  /**
   * @param {PointerEvent} event
   * @param {Element} plot
   */
  _point(event, plot) {
    const area = plot.getBoundingClientRect();
    this._lookedAtMs = this._axis.instant((event.clientX - area.left) / area.width);
    if (plot === this._heatMap.plot)
      this._pointed = this._heatMap.partitionsAt((event.clientY - area.top) / area.height);
    this._look();
  }

  /**
   * @param {GroupView} view
   * @param {HistoryColumn | undefined} column
   */
  _readoutText(view, column) {
    if (column === undefined) return "No figures yet.";
    const waiting =
      column.lag_records > 0
        ? `${recordsText(column.lag_records)} waiting, the oldest for ${durationText(column.lag_seconds)}`
        : "nothing waiting";
    return `${clockText(column.at_ms)}: ${waiting}. ${this._partitionsText(view, column)}`;
  }

  /**
   * @param {GroupView} view
   * @param {HistoryColumn} column
   */
  _partitionsText(view, column) {
    const [first, last] = this._pointed ?? [0, Infinity];
    const worst = Object.entries(column.partitions)
      .sort(([, a], [, b]) => b - a)
      .flatMap(([place, seconds]) => {
        const [topic, partition = -1] = view.partitions[Number(place)] ?? [];
        return partition >= first && partition <= last ? [`${topic}-${partition} (${durationText(seconds)})`] : [];
      })
      .slice(0, WORST);
    if (this._pointed === null) return worst.length > 0 ? `Worst: ${worst.join(", ")}.` : "";
    const pointed = first === last ? `Partition ${first}` : `Partitions ${first}–${last}`;
    return `${pointed}: ${worst.join(", ") || "nothing waits"}.`;
  }
}

/** The partitions of the inputs, by how long their oldest record waits. */

import { byId, say } from "./element.js";
import { numberColumn, SortableTable } from "./sortable_table.js";
import { countText, durationText, NOTHING } from "./wording.js";

/**
 * @typedef {object} Partition
 * @property {string} name
 * @property {number} lagRecords
 * @property {number} lagSeconds
 * @property {string} worker
 */

/** @type {readonly import("./sortable_table.js").Column<Partition>[]} */
const COLUMNS = [
  { title: "Partition", value: (partition) => partition.name },
  { title: "Oldest waiting", value: (partition) => partition.lagSeconds, text: oldestText, isNumber: true },
  numberColumn("Records waiting", (partition) => partition.lagRecords, countText),
  { title: "Worker", value: (partition) => partition.worker },
];

export class Partitions {
  constructor() {
    this._table = new SortableTable(byId("partitions"), {
      caption: "Partitions of the inputs",
      columns: COLUMNS,
      empty: "No partition to show.",
      sort: { column: 1, descending: true },
      rowPixels: 24,
    });
    /** @type {HTMLInputElement} */
    this._onlyWithLag = byId("only-with-lag");
    /** @type {HTMLInputElement} */
    this._text = byId("partition-text");
    /** @type {Partition[]} */
    this._partitions = [];
    const form = byId("partition-filter");
    form.addEventListener("input", () => this._draw());
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {GroupView} view */
  show(view) {
    this._partitions = view.partitions.map(([topic, partition, lagRecords, lagSeconds, worker]) => ({
      name: `${topic}-${partition}`,
      lagRecords,
      lagSeconds,
      worker: worker ?? NOTHING,
    }));
    this._draw();
  }

  _draw() {
    const wanted = this._text.value.trim().toLowerCase();
    const shown = this._partitions.filter(
      ({ name, worker, lagRecords }) =>
        (lagRecords > 0 || !this._onlyWithLag.checked) && `${name} ${worker}`.toLowerCase().includes(wanted),
    );
    this._table.show(shown);
    say(byId("partition-count"), `${countText(shown.length)} of ${countText(this._partitions.length)}`);
  }
}

/** @param {Partition} partition */
function oldestText({ lagRecords, lagSeconds }) {
  return lagRecords > 0 ? durationText(lagSeconds) : NOTHING;
}

/** Who works, on what, and how they fare. */

import { byId, element } from "./element.js";
import { numberColumn, SortableTable } from "./sortable_table.js";
import { bytesText, countText, durationText, NOTHING, rangesText, rateText } from "./wording.js";

/** @type {readonly import("./sortable_table.js").Column<WorkerView>[]} */
const COLUMNS = [
  { title: "Worker", value: (worker) => worker.place, node: placeNode },
  { title: "Host", value: (worker) => worker.host?.replace("/", "") ?? NOTHING },
  {
    title: "Phase",
    value: (worker) => worker.phase,
    text: phaseText,
    mark: (worker) => `phase phase-${slug(worker.phase)}`,
  },
  { title: "Partitions", value: (worker) => worker.partitions.length, node: partitionsNode },
  numberColumn("Rate", (worker) => worker.records_per_second, rateText),
  numberColumn("To restore", (worker) => worker.restore_remaining_records, orNothing),
  numberColumn("Episodes", (worker) => worker.episodes, countText),
  numberColumn("State", (worker) => worker.episode_bytes, bytesText),
  numberColumn("Memory", (worker) => worker.resident_bytes, bytesText),
  numberColumn("Rebalances", (worker) => worker.rebalances, countText),
  { title: "Policy", value: (worker) => worker.policy ?? NOTHING },
  { title: "Build", value: (worker) => worker.build ?? NOTHING },
  { title: "Former ones ended", value: endingsText },
];

export class Workers {
  constructor() {
    this._table = new SortableTable(byId("workers"), {
      caption: "Workers of the group",
      columns: COLUMNS,
      empty: "No worker reports, and the group has no member: start one with g9603 worker.",
      sort: { column: 0, descending: false },
    });
  }

  /** @param {GroupView} view */
  show(view) {
    this._table.show(view.workers);
  }
}

/** @param {WorkerView} worker */
function placeNode({ place, trouble }) {
  const node = element("span", {}, place);
  if (trouble !== null) node.append(element("span", { class: "trouble" }, trouble));
  return node;
}

/** @param {WorkerView} worker */
function phaseText({ phase, silent_seconds }) {
  return phase === "silent" && silent_seconds !== null ? `silent for ${durationText(silent_seconds)}` : phase;
}

/** @param {WorkerView} worker */
function partitionsNode({ partitions }) {
  const ranges = rangesText(partitions);
  const count = element("span", { class: "count" }, `(${countText(partitions.length)})`);
  return element("span", { class: "ranges", title: ranges }, `${ranges} `, count);
}

/** @param {WorkerView} worker */
function endingsText({ endings }) {
  const counts = Object.entries(endings).map(([reason, count]) =>
    count === 1 ? reason : `${reason} ×${countText(count)}`,
  );
  return counts.join(", ") || NOTHING;
}

/** @param {number} count */
function orNothing(count) {
  return count === 0 ? NOTHING : countText(count);
}

/** @param {string} phase */
const slug = (phase) => phase.replaceAll(/\W+/g, "-");

/** What could not be taken in: how many by reason, and the newest, of which is told where they are and not what they hold. */

import { byId } from "./element.js";
import { numberColumn, SortableTable } from "./sortable_table.js";
import { countText, timeElement } from "./wording.js";

export class DeadLetters {
  constructor() {
    /** @type {SortableTable<[string, number]>} */
    this._reasons = new SortableTable(byId("dead-letter-reasons"), {
      caption: "Dead letters by reason",
      columns: [
        { title: "Reason", value: ([reason]) => reason },
        numberColumn("Records", ([, count]) => count, countText),
      ],
      empty: "No dead letter since the workers started.",
      sort: { column: 1, descending: true },
    });
    /** @type {SortableTable<DeadLetterSeen>} */
    this._newest = new SortableTable(byId("newest-dead-letters"), {
      caption: "The newest dead letters",
      columns: [
        { title: "Newest", value: (letter) => letter.timestamp_ms, node: (letter) => timeElement(letter.timestamp_ms) },
        { title: "Record", value: (letter) => `${letter.topic}-${letter.partition}@${letter.offset}` },
        { title: "Reason", value: (letter) => letter.reason },
        { title: "Detail", value: (letter) => letter.detail },
      ],
      empty: "",
      sort: { column: 0, descending: true },
    });
  }

  /** @param {GroupView} view */
  show(view) {
    this._reasons.show(Object.entries(view.dead_letters));
    this._newest.show(view.newest_dead_letters);
    byId("newest-dead-letters").hidden = view.newest_dead_letters.length === 0;
  }
}

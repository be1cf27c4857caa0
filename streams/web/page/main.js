/** The page: a stream of views of the group, each shown once there is time to draw. */

import { showAlerts } from "./alerts.js";
import { Answer } from "./answer.js";
import { Charts } from "./charts.js";
import { Codings } from "./codings.js";
import { DeadLetters } from "./dead_letters.js";
import { byId, say } from "./element.js";
import { GroupStream } from "./group_stream.js";
import { LagHistory } from "./history.js";
import { Partitions } from "./partitions.js";
import { timeElement } from "./wording.js";
import { Workers } from "./workers.js";

const history = new LagHistory();
const answer = new Answer();
const charts = new Charts();
const tables = [new Workers(), new Partitions(), new Codings(), new DeadLetters()];
const connection = byId("connection");

/** @type {GroupView | null} */
let latest = null;
let isDrawing = false;

/** @param {GroupView} view */
function take(view) {
  latest = view;
  history.take(view);
  answer.show(view);
  document.body.classList.remove("lost");
  connection.replaceChildren("live, as of ", timeElement(view.at_ms));
  if (!isDrawing) requestAnimationFrame(() => draw(/** @type {GroupView} */ (latest)));
  isDrawing = true;
}

/**
 * What is not seen need not be drawn: a tab in the background gets no frame.
 * @param {GroupView} view
 */
function draw(view) {
  isDrawing = false;
  showAlerts(view);
  charts.show(history.columns, view);
  for (const table of tables) table.show(view);
}

/** @param {string} reason */
function lose(reason) {
  if (document.body.classList.contains("lost")) return;
  document.body.classList.add("lost");
  const since = latest === null ? [] : [" since ", timeElement(latest.at_ms), ": the figures are of then"];
  connection.replaceChildren(reason, ...since, "; trying again.");
  say(byId("announcement"), connection.textContent ?? "");
}

const stream = new GroupStream({
  snapshot: (snapshot) => {
    history.begin(snapshot.history);
    take(snapshot.view);
  },
  view: take,
  lost: lose,
});
stream.connect();

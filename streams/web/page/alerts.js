/** What would fire now, the worst first. */

import { byId, drawing, element } from "./element.js";

/** @param {GroupView} view */
export function showAlerts({ alerts }) {
  byId("no-alerts").hidden = alerts.length > 0;
  const list = byId("alert-list");
  const told = JSON.stringify(alerts);
  if (list.dataset.told === told) return;
  list.dataset.told = told;
  list.replaceChildren(...alerts.map(alertItem));
}

/** @param {AlertView} alert */
function alertItem({ severity, sentence, first_step, runbook }) {
  const shape = severity === "critical" ? "broken" : "behind";
  return element(
    "li",
    { class: severity === "critical" ? "critical" : "warning" },
    drawing("svg", { class: "shape", "aria-hidden": "true" }, drawing("use", { href: `#shape-${shape}` })),
    element("span", { class: "severity" }, severity),
    element("strong", {}, sentence),
    element("span", {}, first_step),
    element("span", { class: "runbook" }, `Runbook: ${runbook}`),
  );
}

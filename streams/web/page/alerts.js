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
function alertItem({ name, severity, sentence, runbook }) {
  const shape = severity === "critical" ? "broken" : "behind";
  return element(
    "li",
    { class: severity === "critical" ? "critical" : "warning" },
    drawing("svg", { class: "shape", "aria-hidden": "true" }, drawing("use", { href: `#shape-${shape}` })),
    element("span", { class: "severity" }, severity),
    element("strong", {}, sentence),
    element("span", { class: "runbook" }, `Runbook: ${runbook}`, name === runbook ? "" : ` (${name})`),
  );
}

/** At the top: how the group is, in a word, a colour and a shape; by how much, why, and until when. */

import { byId, element, say } from "./element.js";
import { countText, durationText, latencyText, minuteText, NOTHING, rateText, timeElement } from "./wording.js";

/** @type {Record<Condition, string>} Its colour, without which the page can be read, too. */
const ICON_COLOURS = {
  idle: "#71717a",
  "up to date": "#16a34a",
  behind: "#d97706",
  recovering: "#2563eb",
  broken: "#dc2626",
};

/** @type {[string, string][]} */
const FIGURES = [
  ["oldest", "Oldest waiting"],
  ["records", "Records waiting"],
  ["caught-up", "Caught up in"],
  ["in", "In"],
  ["out", "Out"],
  ["p50", "Latency p50"],
  ["p95", "p95"],
  ["p99", "p99"],
];

export class Answer {
  constructor() {
    this._shape = byId("shape");
    this._condition = byId("condition");
    this._sentence = byId("sentence");
    this._cause = byId("cause");
    this._icon = /** @type {HTMLLinkElement} */ (document.querySelector("link[rel=icon]"));
    /** @type {Map<string, HTMLElement>} */
    this._figures = new Map();
    for (const [name, title] of FIGURES) {
      const figure = element("dd", {}, NOTHING);
      this._figures.set(name, figure);
      byId("figures").append(element("div", { class: `figure ${name}` }, element("dt", {}, title), figure));
    }
  }

  /** @param {GroupView} view */
  show(view) {
    const { condition } = view;
    if (document.body.dataset.condition !== condition) {
      document.body.dataset.condition = condition;
      this._shape.setAttribute("href", `#shape-${condition.replaceAll(" ", "-")}`);
      this._icon.href = iconOf(condition);
      say(byId("announcement"), `${view.app_id} is ${condition}. ${view.sentence}`);
    }
    document.title = `${condition} · ${view.app_id}`;
    say(byId("app-id"), view.app_id);
    say(this._condition, condition);
    say(this._sentence, view.sentence);
    say(this._cause, view.cause ?? "");
    document.body.classList.toggle("stale", view.broker_trouble !== null);
    this._cause.hidden = view.cause === null;
    this._showFigures(view);
  }

  /** @param {GroupView} view */
  _showFigures(view) {
    this._say("oldest", view.lag_records > 0 ? durationText(view.lag_seconds) : NOTHING);
    this._say("records", countText(view.lag_records));
    this._say("in", rateText(view.in_per_second));
    this._say("out", rateText(view.out_per_second));
    this._say("p50", latencyText(view.latency.p50));
    this._say("p95", latencyText(view.latency.p95));
    this._say("p99", latencyText(view.latency.p99));
    this._showCatchUp(view);
  }

  /** @param {GroupView} view */
  _showCatchUp({ at_ms, broker_trouble, catch_up_seconds, lag_records }) {
    if (broker_trouble !== null) return this._say("caught-up", "not known");
    if (lag_records === 0) return this._say("caught-up", "now");
    if (catch_up_seconds === null) return this._say("caught-up", "not foreseeable");
    const atMs = at_ms + catch_up_seconds * 1000;
    const time = timeElement(atMs, minuteText(atMs));
    this._figures.get("caught-up")?.replaceChildren(`${durationText(catch_up_seconds)}, at `, time);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  _say(name, text) {
    say(/** @type {HTMLElement} */ (this._figures.get(name)), text);
  }
}

/**
 * The sign of a condition for the tab of the browser.
 * @param {Condition} condition
 */
function iconOf(condition) {
  const shape = byId(`shape-${condition.replaceAll(" ", "-")}`).firstElementChild;
  const colour = ICON_COLOURS[condition];
  const isStroke = shape?.classList.contains("stroke");
  const paint = isStroke ? `fill="none" stroke="${colour}" stroke-width="4"` : `fill="${colour}"`;
  const drawn = new XMLSerializer().serializeToString(/** @type {Element} */ (shape));
  const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" ${paint}>${drawn}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(icon)}`;
}

/** Numbers, durations and times as an operator says them: in the language of the page, as the sentences from the worker. */

import { element } from "./element.js";

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
const LANGUAGE = "en";

const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(LANGUAGE, { maximumSignificantDigits: 2 });
const clock = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "medium", hourCycle: "h23" });
const clockOfMinutes = new Intl.DateTimeFormat(LANGUAGE, { timeStyle: "short", hourCycle: "h23" });

export const NOTHING = "–";

/** @param {number} count */
export const countText = (count) => whole.format(count);

/** @param {number} count */
export const recordsText = (count) => (count === 1 ? "1 record" : `${countText(count)} records`);

/** @param {number | null} perSecond Null: not known yet. */
export function rateText(perSecond) {
  return perSecond === null ? NOTHING : `${(perSecond < 10 ? short : whole).format(perSecond)}/s`;
}

/**
 * Two units at most, as `streams.monitoring.duration_text` has it.
 * @param {number} seconds
 */
export function durationText(seconds) {
  const all = Math.floor(seconds);
  if (all < 1) return "less than 1 s";
  if (all < MINUTE) return `${all} s`;
  if (all < HOUR) return twoUnits(all, MINUTE, "min", 1, "s");
  if (all < DAY) return twoUnits(all, HOUR, "h", MINUTE, "min");
  return twoUnits(all, DAY, "d", HOUR, "h");
}

/**
 * @param {number} all
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function twoUnits(all, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((all % large) / small);
  const whole = `${Math.floor(all / large)} ${largeUnit}`;
  return rest > 0 ? `${whole} ${rest} ${smallUnit}` : whole;
}

/**
 * A latency, down to the millisecond.
 * @param {number | null} seconds
 */
export function latencyText(seconds) {
  if (seconds === null) return NOTHING;
  if (seconds < 1) return `${whole.format(seconds * 1000)} ms`;
  return seconds < 10 ? `${short.format(seconds)} s` : durationText(seconds);
}

/** @param {number} bytes */
export function bytesText(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  const value = bytes / 1024 ** power;
  return `${(value < 10 && power > 0 ? short : whole).format(value)} ${units[power]}`;
}

/**
 * Numbers as ranges: 0–3, 7.
 * @param {readonly number[]} numbers
 */
export function rangesText(numbers) {
  /** @type {[number, number][]} */
  const ranges = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ") || "none";
}

/**
 * The local time of day.
 * @param {number} atMs
 */
export const clockText = (atMs) => clock.format(atMs);

/**
 * The local time of day, to the minute.
 * @param {number} atMs
 */
export const minuteText = (atMs) => clockOfMinutes.format(atMs);

/**
 * An instant: local to read, and UTC for whoever looks closer.
 * @param {number} atMs
 * @param {string} [text]
 */
export function timeElement(atMs, text = clockText(atMs)) {
  const utc = new Date(atMs).toISOString();
  return element("time", { datetime: utc, title: utc }, text);
}

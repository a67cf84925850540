// A detected change in words. Only a LEVEL's two numbers are values of the KPI: a VARIANCE's are how far its buckets stray, a
// TREND's are slopes, and neither must ever stand where a value would.
import { dimension, distance, value } from "./format.js";

const buckets = { MINUTE: "minute", HOUR: "hour", DAY: "day" };
const kinds = { LEVEL: "level", TREND: "trend", VARIANCE: "spread", SPIKE: "spike", SILENCE: "silence" };

export const kindName = (shift) => kinds[shift.kind] || String(shift.kind).toLowerCase();

/** Is it about the KPI's value, not about how steady it is? */
export const isOfValue = (shift) => shift.kind !== "VARIANCE";

const DAY_MS = 86400e3;
/** After so long it is what is usual: as alerts of shifts have it (schemas/alert_rules.c). */
const usualAfter = { MINUTE: 7 * DAY_MS, HOUR: 7 * DAY_MS, DAY: 30 * DAY_MS };

/** When a spike was over, or another shift of the series took a level's or a slope's place, or another spread a spread's; null: it stands. */
export function endedAt(shift, shifts) {
  if (shift.ended_at) return Date.parse(shift.ended_at);
  const onset = Date.parse(shift.onset_at);
  const later = shifts.filter((other) => other.kpi === shift.kpi && other.dimension === shift.dimension && other.resolution === shift.resolution &&
    other.kind !== "SPIKE" && isOfValue(other) === isOfValue(shift)).map((other) => Date.parse(other.onset_at)).filter((at) => at > onset);
  return later.length ? Math.min(...later) : null;
}

/** Is it news still? */
export const stands = (shift, shifts) => shift.kind !== "SPIKE" && endedAt(shift, shifts) === null && Date.now() - Date.parse(shift.detected_at) < (usualAfter[shift.resolution] || Infinity);

const slope = (kpi, number, [down, up]) => `${number < 0 ? down : up} by ${distance(kpi, number)}`;

export function saying(shift) {
  const bucket = buckets[shift.resolution] || "hour";
  switch (shift.kind) {
    case "VARIANCE":
      return `${shift.after > shift.before ? "less" : "more"} steady: varies by ±${distance(shift.kpi, shift.after)} from ${bucket} to ${bucket}, was ±${distance(shift.kpi, shift.before)}`;
    case "TREND":
      return `${slope(shift.kpi, shift.after, ["falls", "rises"])} ${bucket === "hour" ? "an" : "a"} ${bucket}, ${slope(shift.kpi, shift.before, ["fell", "rose"])} before`;
    case "SPIKE":
      return `${value(shift.kpi, shift.after)} in one ${bucket}, expected: ${value(shift.kpi, shift.before)}`;
    default:
      return `${value(shift.kpi, shift.before)} → ${value(shift.kpi, shift.after)}`;
  }
}

const DRIVERS_SHOWN = 2;

/** What it comes from: "87 % from boots"; from 95 % on "all of it" (with others against it, a part can do more than all); empty where no part stands out. Parts of different kinds are different views of the same change. */
export function drivers(shift) {
  const words = (shift.drivers || []).slice(0, DRIVERS_SHOWN).map((driver) => {
    const own = driver.dimension.split(",").filter((part) => !shift.dimension.split(",").includes(part)).join(",");
    return `${driver.share >= 0.95 ? "all of it" : `${Math.round(100 * driver.share)} %`} from ${dimension(own)}`;
  });
  return words.length ? `, ${words.join(", ")}` : "";
}

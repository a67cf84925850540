// A detected change in words. Only a LEVEL's two numbers are values of the KPI: a VARIANCE's are how far its buckets stray, a
// TREND's are slopes, and neither must ever stand where a value would.
import { distance, value } from "./format.js";

const buckets = { MINUTE: "minute", HOUR: "hour", DAY: "day" };
const kinds = { LEVEL: "level", TREND: "trend", VARIANCE: "spread", SPIKE: "spike", SILENCE: "silence" };

export const kindName = (shift) => kinds[shift.kind] || String(shift.kind).toLowerCase();

/** Is it about the KPI's value, not about how steady it is? */
export const isOfValue = (shift) => shift.kind !== "VARIANCE";

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

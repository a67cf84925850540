// A series' course at a grain that can be read: hours with two answers each are noise, days or weeks of them are a line.
import { kindOf } from "./format.js";

const HOUR = 3600000, ENOUGH = 8, POINTS_MOST = 250;
const grains = [[HOUR, "hour"], [6 * HOUR, "6 hours"], [24 * HOUR, "day"], [7 * 24 * HOUR, "week"]];
const sums = new Set(["backlog_inflow", "backlog_outflow", "review_count", "usage_minutes", "upsell_revenue", "stage_moves"]);

/** Points [end, value, n] of buckets `size` long: rates and means weighted by n, flows summed, gauges as they ended. */
function gather(kpi, points, size) {
  const buckets = new Map();
  for (const [at, value, n] of points) {
    if (value === null) continue;
    const end = Math.ceil(at / size) * size, bucket = buckets.get(end) || { sum: 0, weight: 0, n: 0, last: null };
    bucket.sum += value * (n || 1);
    bucket.weight += n || 1;
    bucket.n += n || 0;
    bucket.last = sums.has(kpi) ? (bucket.last || 0) + value : value;
    buckets.set(end, bucket);
  }
  const isCount = kindOf(kpi) === "count";
  return [...buckets].map(([end, bucket]) => [end, isCount ? bucket.last : bucket.sum / bucket.weight, bucket.n]);
}

/** The finest grain that has enough in most of its buckets and not more points than a chart has room for. */
function grainOf(kpi, points) {
  const needed = kindOf(kpi) === "count" ? 0 : ENOUGH;
  for (const [size, name] of grains) {
    const counts = gather(kpi, points, size).map((point) => point[2]).sort((a, b) => a - b);
    if (counts.length <= POINTS_MOST && (counts[counts.length >> 1] ?? 0) >= needed) return [size, name];
  }
  return grains[grains.length - 1];
}

export function course(kpi, points) {
  const [size, name] = grainOf(kpi, points);
  return { points: gather(kpi, points, size), grain: name, size };
}

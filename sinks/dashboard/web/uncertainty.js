// How far a point of a chart may lie from what it stands for, 95 times of 100 (docs/KPIS.md).
import { kindOf, within } from "./format.js";

const Z = 1.959964, FEW = 10;

/** Wilson's interval of a share. */
function wilson(share, n) {
  const middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n);
  const half = Z * Math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n);
  return [middle - half, middle + half];
}

/** A point bears no spread of its own answers: what `now`, a window of many, says of one answer's is taken for each. */
function halfWidth(kpi, now) {
  const counted = (n) => (kindOf(kpi) === "nps" ? n + 3 : n); // the adjusted form counts three answers more
  if (now.low === null || now.low === undefined || now.low_n || now.n < FEW) return null;
  const one = (now.high - now.low) / 2 * Math.sqrt(counted(now.n));
  return (n) => one / Math.sqrt(counted(n));
}

/** [low, high] of each [end, value, n]; null where the KPI's kind or too few answers give none. */
export function intervals(kpi, now, points) {
  const kind = kindOf(kpi);
  if (kind === "rate") return points.map(([, share, n]) => (n > 0 && share >= 0 && share <= 1 ? wilson(share, n) : null));
  const half = ["mean", "nps", "signed"].includes(kind) ? halfWidth(kpi, now) : null;
  return points.map(([, middle, n]) => (half && n > 0 ? [within(kpi, middle - half(n)), within(kpi, middle + half(n))] : null));
}

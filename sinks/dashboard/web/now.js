// Now: a tile a KPI, with its interval, target, change and recent course.
import { api } from "./source.js";
import { course } from "./course.js";
import { chooseWindow } from "./app.js";
import { ago, clock, dimension, directionOf, element, kindOf, nameOf, range, value } from "./format.js";
import { drivers, isOfValue, saying, stands } from "./shift.js";

const groups = [
  ["Customer", ["nps", "csat", "ces", "review_stars", "sentiment", "survey_completion"]],
  ["Support", ["first_response_time", "resolution_time", "handoff_wait", "backlog", "response_24h", "fcr", "sla_first_response", "sla_resolution", "reopen_rate", "hot_open", "loop_contact_24h", "loop_recovered"]],
  ["Delivery and use", ["on_time_delivery", "return_rate", "first_time_fix", "activation", "active_customers", "usage_minutes"]],
  ["Loyalty", ["repeat_purchase_180d", "renewal_rate", "churn_rate", "loyalty_share", "referral_rate", "engagement_open"]],
];
const STALE_MS = 5 * 60000, SPARK_POINTS = 72, SHIFTS_MOST = 5, OFF_TARGET_MOST = 6;
let place = null, tiles = new Map(), sparks = new Map(), asked = 0;

function verdict(kpi) {
  const direction = directionOf(kpi.kpi);
  if (kpi.target === null || kpi.target === undefined || kpi.value === null || !direction) return null;
  if (kpi.low_n) return element("span", { class: "verdict quiet", title: `target ${value(kpi.kpi, kpi.target)}; ${kpi.n} are too few to judge by` }, "few cases");
  const isMet = direction * (kpi.value - kpi.target) >= 0;
  const isSure = kpi.low === null || direction * ((direction > 0 ? kpi.low : kpi.high) - kpi.target) >= 0;
  return element("span", { class: `verdict ${isMet ? "good" : "bad"}`, title: `target ${value(kpi.kpi, kpi.target)}` },
    isMet ? (isSure ? "✓ on target" : "✓ near target") : "✗ off target");
}

/** Is the difference what chance alone would do? The window before has an interval, too, taken to be as wide as this one's;
 * counts wander by about their root. */
function isChance(kpi, delta) {
  const room = kpi.low === null || kpi.low === undefined ? 2 * Math.sqrt(Math.abs(kpi.value) + Math.abs(kpi.previous))
    : Math.SQRT2 * Math.max(kpi.high - kpi.value, kpi.value - kpi.low);
  return Math.abs(delta) <= room;
}

/** The change to the window before: coloured only when it is more than noise. */
function change(kpi) {
  if (kpi.previous === null || kpi.previous === undefined || kpi.value === null) return "";
  const delta = kpi.value - kpi.previous, direction = directionOf(kpi.kpi), isNoise = kpi.low_n || isChance(kpi, delta);
  const tone = isNoise || !delta || !direction ? "" : delta * direction > 0 ? "good" : "bad";
  return element("span", { class: `change ${tone}`, title: isNoise ? "within what chance alone would do" : "more than noise" },
    `${delta > 0 ? "▲" : delta < 0 ? "▼" : "="} from ${value(kpi.kpi, kpi.previous)}`);
}

function spark(points, target) {
  const seen = points.filter((point) => point[1] !== null);
  const svg = element("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  if (seen.length < 2) return svg;
  const values = seen.map((point) => point[1]);
  const low = Math.min(...values, target ?? Infinity), high = Math.max(...values, target ?? -Infinity), span = high - low || 1;
  const from = seen[0][0], width = seen[seen.length - 1][0] - from || 1;
  const y = (number) => (28 - (26 * (number - low)) / span).toFixed(2);
  if (target !== null && target !== undefined) svg.append(element("line", { x1: 0, x2: 100, y1: y(target), y2: y(target) }));
  svg.append(element("path", { d: seen.map((point, i) => `${i ? "L" : "M"}${((100 * (point[0] - from)) / width).toFixed(2)} ${y(point[1])}`).join("") }));
  return svg;
}

/** Until the first answer: names alone, so that nothing moves when it comes. */
function fillWaiting(tile, name) {
  tile.toggleAttribute("data-none", true);
  tile.replaceChildren(element("span", { class: "name" }, nameOf(name)), element("span", { class: "value" }, "…"));
}

function fill(tile, name, kpi) {
  const isStale = kpi && Date.now() - kpi.at > STALE_MS;
  tile.toggleAttribute("data-few", Boolean(kpi?.low_n));
  tile.toggleAttribute("data-none", !kpi);
  tile.toggleAttribute("data-stale", Boolean(isStale));
  const basis = !kpi ? "no data in this window"
    : isStale ? `as of ${ago(kpi.at)}`
    : kindOf(name) === "count" ? ""
    : `${kpi.low === null || kpi.low === undefined ? "" : `${range(name, kpi.low, kpi.high)} · `}n\u00a0${kpi.n.toLocaleString("en")}`;
  tile.replaceChildren(
    element("span", { class: "name" }, nameOf(name), kpi ? verdict(kpi) : null),
    element("span", { class: "value" }, value(name, kpi?.value)),
    element("span", { class: "range" }, basis),
    element("span", { class: "range" }, kpi && !isStale ? change(kpi) : ""),
    spark(sparks.get(name) || [], kpi?.target));
}

function draw(known) {
  place.setAttribute("aria-busy", String(!known.kpis));
  if (!known.kpis) {
    for (const [name, tile] of tiles) fillWaiting(tile, name);
    return;
  }
  const hasAny = groups.some(([, names]) => names.some((name) => known.kpis.has(name)));
  place.querySelector(".empty").hidden = hasAny;
  for (const [name, tile] of tiles) fill(tile, name, known.kpis.get(name));
  drawShifts(known);
  drawOffTarget(known);
}

const toTrends = (kpi, of) => element("a", { href: `#/trends/${kpi}${of === "all" ? "" : `/${of.split("=")[0]}`}` }, element("b", {}, nameOf(kpi)));
const tones = { CRITICAL: "bad", WARNING: "warn" };

/** What misses its target for sure, in whatever window it is held to it; the server has ranked them. */
function drawOffTarget(known) {
  const alerts = known.offTarget || [], more = alerts.length - OFF_TARGET_MOST;
  place.querySelector(".missed").hidden = !alerts.length;
  place.querySelector(".missed ul").replaceChildren(...alerts.slice(0, OFF_TARGET_MOST).map((alert) => element("li", {},
    toTrends(alert.kpi, alert.dimension), alert.dimension === "all" ? "" : ` · ${dimension(alert.dimension)}`, ": ",
    element("b", { class: tones[alert.severity] || "" }, alert.text.slice(alert.text.lastIndexOf(", ") + 2)),
    element("span", { class: "quiet" }, ` over ${alert.text.split(",")[0].split(" ").pop()}, since ${clock(Date.parse(alert.opened_at))}; ${alert.reasons[0]?.text || ""}`))),
    ...(more > 0 ? [element("li", { class: "quiet" }, `and ${more} more`)] : []));
}

/** What changed and stands, one line a KPI and dimension, the newest first. What a KPI is comes before how steady it is, be it later or not. */
function drawShifts(known) {
  const latest = new Map();
  for (const shift of known.shifts || []) {
    const key = `${shift.kpi}|${shift.dimension}`, kept = latest.get(key);
    if (stands(shift, known.shifts) && !shift.dimension.startsWith("stage=") && (!kept || (!isOfValue(kept) && isOfValue(shift)))) latest.set(key, shift);
  }
  const isEcho = (shift) => { // what changed in all, seen once more in the dimension that is all of it
    const all = shift.dimension === "all" ? null : latest.get(`${shift.kpi}|all`);
    return all && all.onset_at === shift.onset_at && all.kind === shift.kind && value(all.kpi, all.after) === value(shift.kpi, shift.after);
  };
  const lines = [...latest.values()].filter((shift) => !isEcho(shift))
    .sort((a, b) => isOfValue(b) - isOfValue(a) || Date.parse(b.onset_at) - Date.parse(a.onset_at)).slice(0, SHIFTS_MOST);
  place.querySelector(".changes").hidden = !lines.length;
  place.querySelector(".changes ul").replaceChildren(...lines.map((shift) => element("li", {},
    toTrends(shift.kpi, shift.dimension),
    shift.dimension === "all" ? "" : ` · ${dimension(shift.dimension)}`, ": ",
    element("b", { class: shift.good === true ? "good" : shift.good === false ? "bad" : "warn" }, saying(shift)),
    element("span", { class: "quiet" }, ` since ${clock(Date.parse(shift.onset_at))}${drivers(shift)}`))));
}

async function askSparks(known) {
  asked = Date.now();
  await Promise.all([...tiles.keys()].map(async (name) => {
    try {
      const answer = await api.series(name);
      sparks.set(name, course(name, answer?.series?.[0]?.points || []).points.slice(-SPARK_POINTS));
    } catch { /* the next round asks again */ }
  }));
  if (place) draw(known);
}

export function show(main, known) {
  place = main;
  tiles = new Map();
  const windows = ["1h", "24h", "7d", "30d", "90d"].map((window) =>
    element("button", { "aria-pressed": String(window === known.window), onclick: async (event) => {
      for (const other of event.target.parentNode.children) other.setAttribute("aria-pressed", String(other === event.target));
      await chooseWindow(window);
    } }, window));
  main.append(element("div", { class: "bar" }, element("h1", {}, "Now"), element("span", { class: "grow" }),
    element("div", { class: "choice", role: "group", "aria-label": "Window" }, ...windows)),
    element("p", { class: "empty", hidden: true }, "Nothing has been measured in this window yet. Send touchpoints to the collector, or choose a longer window."),
    element("section", { class: "missed", hidden: true }, element("h2", {}, "Off target"), element("ul", { class: "card shifts" })),
    element("section", { class: "changes", hidden: true }, element("h2", {}, "What changed"), element("ul", { class: "card shifts" })));
  for (const [title, names] of groups) {
    const grid = element("div", { class: "tiles" });
    for (const name of names) {
      const tile = element("a", { class: "tile", href: `#/trends/${name}`, "data-kpi": name });
      tiles.set(name, tile);
      grid.append(tile);
    }
    main.append(element("h2", {}, title), grid);
  }
  draw(known);
  askSparks(known);
}

export function changed(what, data, known) {
  if (what === "tick" && Date.now() - asked > 30000) askSparks(known);
  if (what !== "kpis" && what !== "tick" && what !== "shifts" && what !== "off target") return;
  draw(known);
  for (const kpi of data || []) {
    const tile = kpi.dimension === "all" && kpi.window === known.window ? tiles.get(kpi.kpi) : null;
    tile?.classList.remove("flash");
    void tile?.offsetWidth; // starts the animation anew
    tile?.classList.add("flash");
  }
}

export function leave() { place.removeAttribute("aria-busy"); place = null; tiles = new Map(); }

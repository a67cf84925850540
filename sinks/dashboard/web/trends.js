// Trends: one KPI over time by a dimension, with the shifts that were detected.
import uPlot from "./uPlot.esm.js";
import { api } from "./source.js";
import { course } from "./course.js";
import { clock, dimension, directionOf, element, kpis, nameOf, range, sure, value, within } from "./format.js";
import { drivers, endedAt, kindName, saying } from "./shift.js";
import { intervals } from "./uncertainty.js";

const palettes = { light: ["#0f766e", "#2563eb", "#c2410c", "#7c3aed", "#be123c", "#4d7c0f", "#0369a1", "#a16207"],
  dark: ["#2dd4bf", "#60a5fa", "#fb923c", "#c084fc", "#fb7185", "#a3e635", "#38bdf8", "#facc15"] };
const darkness = matchMedia("(prefers-color-scheme: dark)");
const LINES_MAX = palettes.light.length;
let place = null, chart = null, kpi = "nps", by = "", asked = 0;

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Hours where ticks are less than a day apart, days elsewhere; in the reader's own order of day and month. */
function dates(_, ticks) {
  const isFine = ticks.length > 1 && ticks[1] - ticks[0] < 86400;
  return ticks.map((tick) => new Date(tick * 1000).toLocaleString([], isFine ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short" }));
}

/** Points of all series on one time axis. */
function align(series) {
  const times = [...new Set(series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
  const columns = series.map((one) => { const known = new Map(one.points.map((point) => [point[0], point[1]])); return times.map((time) => known.get(time) ?? null); });
  return [times.map((time) => time / 1000), ...columns];
}

/** Two columns for the band around a line that is alone; around several at once it would hide them. */
function bandOf(line, times) {
  const bounds = new Map(intervals(kpi, line.now, line.points).map((interval, i) => [line.points[i][0] / 1000, interval]));
  const columns = [0, 1].map((side) => times.map((time) => bounds.get(time)?.[side] ?? null));
  return columns[0].some((low) => low !== null) ? columns : null;
}

/** A line of dashes through the whole of the plot, across at a value of y or down at one of x; none where that is outside of it. */
function rule(plot, axis, number, colour, dashes) {
  const { left, top, width, height } = plot.bbox, at = Math.round(plot.valToPos(number, axis, true));
  const isAcross = axis === "y", begin = isAcross ? top : left, length = isAcross ? height : width;
  if (at < begin || at > begin + length) return;
  plot.ctx.save();
  plot.ctx.strokeStyle = colour;
  plot.ctx.setLineDash(dashes);
  plot.ctx.beginPath();
  plot.ctx.moveTo(isAcross ? left : at, isAcross ? at : top);
  plot.ctx.lineTo(isAcross ? left + width : at, isAcross ? at : top + height);
  plot.ctx.stroke();
  plot.ctx.restore();
}

const markTarget = (target) => ({ hooks: { draw: (plot) => rule(plot, "y", target, css("--quiet"), [2, 6]) } });

function markShifts(shifts) {
  const colourOf = (shift) => css(shift.good === true ? "--good" : shift.good === false ? "--bad" : "--warn");
  return { hooks: { draw: (plot) => { for (const shift of shifts) rule(plot, "x", Date.parse(shift.onset_at) / 1000, colourOf(shift), [4, 4]); } } };
}

function drawChart(series, shifts) {
  chart?.destroy();
  chart = null;
  const card = place.querySelector(".chart"), box = element("div");
  card.replaceChildren(box); // as wide as the card without its padding
  // All lines at the grain of the first, which has the most behind it.
  const shown = series.filter((one) => one.points.length).slice(0, LINES_MAX);
  const { grain } = shown.length ? course(kpi, shown[0].points) : { grain: "" };
  const lines = shown.map((one) => ({ ...one, points: course(kpi, one.points).points }));
  const data = align(lines), band = lines.length === 1 ? bandOf(lines[0], data[0]) : null, target = shown[0]?.now.target ?? null;
  place.querySelector(".grain").textContent = !lines.length ? "" : `one point every ${grain}${by ? " or longer, where there is little" : ""}` +
    `${band ? "; shaded: the 95 % interval of each" : ""}${target === null ? "" : `; dotted: the target, ${value(kpi, target)}`}`;
  if (!lines.length) { box.append(element("p", { class: "empty" }, "No closed hours yet: the first point comes with the next full hour.")); return; }
  const axis = { stroke: css("--quiet"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
  const colours = darkness.matches ? palettes.dark : palettes.light;
  const drawn = lines.map((one, i) => ({ label: one.dimension === "all" ? nameOf(kpi) : dimension(one.dimension), stroke: colours[i], width: 2, spanGaps: true, points: { show: one.points.length < 60 },
    value: (_, number) => value(kpi, number) }));
  const edge = { width: 0, spanGaps: true, points: { show: false } };
  const said = (plot, low, _, at) => (low === null || at === null ? "–" : range(kpi, low, plot.data[3][at]));
  chart = new uPlot({
    width: box.clientWidth, height: 320, plugins: [markShifts(shifts), ...(target === null ? [] : [markTarget(target)])], cursor: { drag: { x: true, y: false } },
    padding: [12, 30, 0, 0],
    scales: { y: { range: (_, low, high) => (low === null ? [0, 1] : uPlot.rangeNum(low, high, 0.1, true).map((end) => within(kpi, end))) } },
    axes: [{ ...axis, space: 70, values: dates }, { ...axis, size: 70, values: (_, ticks) => ticks.map((tick) => value(kpi, tick)) }],
    series: [{ label: "until", value: (_, seconds) => (seconds === null ? "–" : clock(seconds * 1000)) }, ...drawn,
      ...(band ? [{ ...edge, label: "95 %", value: said }, { ...edge, label: "", class: "unsaid" }] : [])],
    bands: band ? [{ series: [3, 2], fill: `${colours[0]}26` }] : [],
  }, [...data, ...(band || [])], box);
}

function drawTable(series) {
  place.querySelector(".breakdown tbody").replaceChildren(...series.map((one) => element("tr", { class: one.now.low_n ? "few" : "", title: one.now.low_n ? "too few to be relied on" : "" },
    element("td", {}, dimension(one.dimension)), element("td", { class: "number" }, value(kpi, one.now.value)),
    element("td", { class: "number quiet" }, one.now.low === null ? "" : range(kpi, one.now.low, one.now.high)),
    element("td", { class: "number" }, one.now.n.toLocaleString("en")), element("td", { class: "number quiet" }, value(kpi, one.now.previous)))));
}

function when(shift, shifts) {
  const onset = clock(Date.parse(shift.onset_at)), ended = endedAt(shift, shifts);
  return shift.kind === "SPIKE" ? `at ${onset}` : ended === null ? `since ${onset}` : `from ${onset} to ${clock(ended)}`;
}

function drawShifts(shifts) {
  place.querySelector(".shifts").replaceChildren(...(shifts.length ? shifts.map((shift) => {
    const tone = shift.good === true ? "good" : shift.good === false ? "bad" : "warn";
    return element("li", {}, element("b", { class: tone }, `${shift.direction === "UP" ? "▲" : "▼"} ${kindName(shift)}`),
      ` ${dimension(shift.dimension)}: ${saying(shift)} ${when(shift, shifts)}${drivers(shift)}, ${sure(shift.confidence)}`);
  }) : [element("li", { class: "quiet" }, "No shift detected.")]));
}

async function refresh(known) {
  asked = Date.now();
  const wanted = `${kpi}/${by}`;
  try {
    const answer = await api.series(kpi, by);
    if (!place || wanted !== `${kpi}/${by}`) return;
    const series = answer?.series || [], shifts = (known.shifts || []).filter((shift) => shift.kpi === kpi);
    drawChart(series, shifts);
    drawTable(series);
    drawShifts(shifts);
  } catch { /* the banner says what is wrong */ }
}

export function show(main, known, [wantedKpi, wantedBy]) {
  place = main;
  kpi = kpis[wantedKpi] ? wantedKpi : "nps";
  by = wantedBy || "";
  const go = () => { location.hash = `#/trends/${kpi}${by ? `/${by}` : ""}`; };
  const choices = element("select", { "aria-label": "KPI", onchange: (event) => { kpi = event.target.value; go(); } },
    ...Object.keys(kpis).map((name) => element("option", { value: name, selected: name === kpi }, nameOf(name))));
  const dimensions = element("select", { "aria-label": "By", onchange: (event) => { by = event.target.value; go(); } },
    ...["", "channel", "product", "segment", "stage", "team", "region", "topic"].map((name) => element("option", { value: name, selected: name === by }, name ? `by ${name}` : "all")));
  main.append(element("div", { class: "bar" }, element("h1", {}, "Trends"), choices, dimensions, element("span", { class: "grow" }),
    element("span", { class: "quiet small" }, { 1: "higher is better", "-1": "lower is better" }[directionOf(kpi)] || "")),
    element("div", { class: "card chart" }), element("p", { class: "grain quiet small" }), element("h2", {}, "Last 30 days"),
    element("div", { class: "card scroll" }, element("table", { class: "breakdown" }, element("thead", {}, element("tr", {}, element("th", {}, by || ""), element("th", { class: "number" }, nameOf(kpi)),
      element("th", { class: "number" }, "95 %"), element("th", { class: "number" }, "n"), element("th", { class: "number" }, "30 d before"))), element("tbody", {}))),
    element("h2", {}, "Shifts"), element("ul", { class: "card shifts" }));
  refresh(known);
}

export function changed(what, data, known) {
  if (what === "shifts" || (what === "tick" && Date.now() - asked > 15000)) refresh(known);
}

export function leave() { chart?.destroy(); chart = null; place = null; }

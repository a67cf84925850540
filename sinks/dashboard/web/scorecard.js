// Scorecard: every KPI with its interval and its target, for 30 and 90 days.
import { api } from "./source.js";
import { directionOf, element, nameOf, range, value } from "./format.js";

let place = null;

function cells(name, kpi) {
  if (!kpi) return [element("td", { class: "number quiet", colspan: 4 }, "–")];
  const direction = directionOf(name), hasTarget = kpi.target !== null && kpi.target !== undefined && kpi.value !== null && direction;
  const isMet = hasTarget && direction * (kpi.value - kpi.target) >= 0;
  const delta = kpi.previous === null || kpi.value === null ? null : kpi.value - kpi.previous;
  const tone = !kpi.is_change || !delta ? "quiet" : delta * direction > 0 ? "good" : "bad";
  return [
    element("td", { class: `number ${kpi.low_n ? "few" : hasTarget ? (isMet ? "good" : "bad") : ""}`, title: `n ${kpi.n}${kpi.low_n ? ": too few to be relied on" : ""}` }, value(name, kpi.value)),
    element("td", { class: "number quiet small" }, kpi.low === null ? "" : range(name, kpi.low, kpi.high)),
    element("td", { class: "number quiet" }, value(name, kpi.target)),
    element("td", { class: `number ${tone}` }, delta === null ? "–" : `${delta > 0 ? "▲" : delta < 0 ? "▼" : "="} ${value(name, kpi.previous)}${kpi.is_change ? "" : " (noise)"}`)];
}

async function refresh() {
  let answer;
  try { answer = await api.scorecard(); } catch { return; }
  if (!place || !answer) return;
  place.querySelector("tbody").replaceChildren(...answer.groups.flatMap((group) => [
    element("tr", {}, element("th", { colspan: 9, class: "group" }, group.name)),
    ...group.kpis.filter((kpi) => kpi["30d"] || kpi["90d"]).map((kpi) => element("tr", {},
      element("td", {}, element("a", { href: `#/trends/${kpi.kpi}` }, nameOf(kpi.kpi))), ...cells(kpi.kpi, kpi["30d"]), ...cells(kpi.kpi, kpi["90d"])))]));
}

export function show(main) {
  place = main;
  const head = (text) => element("th", { class: "number" }, text);
  main.append(element("div", { class: "bar" }, element("h1", {}, "Scorecard"), element("span", { class: "quiet" }, "against targets, and against the window before")),
    element("div", { class: "card scroll" }, element("table", {}, element("thead", {}, element("tr", {}, element("th", {}, ""),
      ...["30 days", "90 days"].flatMap((window) => [head(window), head("95 %"), head("target"), head("before")]))), element("tbody", {}))));
  refresh();
}

let counter = 0;
export function changed(what) { if (what === "tick" && ++counter % 3 === 0) refresh(); }
export function leave() { place = null; }

// Alerts: what is open now that is no case, the gravest first: of customers beside those of numbers, for different people look at them.
import { api } from "./source.js";
import { ago, clock, dimension, element, nameOf } from "./format.js";

const kinds = {
  SLA_BREACH: "SLA breach", SLA_WARNING: "SLA warning", DEVICE: "device", ABSENCE: "did not come", CHURN_RISK: "churn risk",
  KPI_THRESHOLD: "off target", SLA_BURN: "SLA burn", TREND_SHIFT: "shift", DATA_QUALITY: "data quality",
};
const parts = [["Customers", ["SLA_BREACH", "SLA_WARNING", "DEVICE", "ABSENCE", "CHURN_RISK"]],
  ["Numbers", ["KPI_THRESHOLD", "SLA_BURN", "TREND_SHIFT", "DATA_QUALITY"]]];
const severities = [["INFO", "All"], ["WARNING", "Warning and critical"], ["CRITICAL", "Critical"]];
const tones = { CRITICAL: "bad", WARNING: "warn", INFO: "quiet" };
const SHOWN = 50, SHOWN_MOST = 500, PAUSE_MS = 300;
let place = null, chosenKind = null, least = "INFO", limit = SHOWN, answers = null, asked = 0, waiting = null;

const nameOfKind = (kind) => kinds[kind] || String(kind).toLowerCase().replaceAll("_", " ");
const sum = (counts, ...names) => names.reduce((total, name) => total + (counts?.[name] || 0), 0);

/** Of what is open, how many somebody should look at soon; what is merely said is not counted. */
export const pressing = (open) => Object.values(open || {}).reduce((total, counts) => total + sum(counts, "CRITICAL", "WARNING"), 0);
export const isAnyCritical = (open) => Object.values(open || {}).some((counts) => counts.CRITICAL > 0);

/** What it is about, and what is said of that: the text without what the link before it says already. */
function subject(alert) {
  if (alert.customer_id) return [element("a", { href: `#/customers/${encodeURIComponent(alert.customer_id)}` }, element("b", {}, alert.customer_id)), alert.text];
  if (!alert.kpi) return alert.dimension ? [element("b", {}, dimension(alert.dimension)), alert.text.replace(`${alert.dimension} `, "")] : [null, alert.text];
  const part = alert.dimension === "all" ? "" : `/${encodeURIComponent(alert.dimension.split("=")[0])}`;
  const link = element("a", { href: `#/trends/${alert.kpi}${part}` }, element("b", {}, nameOf(alert.kpi)), part ? ` · ${dimension(alert.dimension)}` : "");
  const said = alert.text.startsWith(`${alert.kpi} `) ? alert.text.slice(alert.kpi.length + 1) : alert.text;
  return [link, said.replace(`, ${alert.dimension},`, "")];
}

/** A date is not broken at its hyphens. */
const whole = (text) => text.split(/(\d{4}-\d\d-\d\d(?: \d\d:\d\d UTC)?)/).map((part, i) => (i % 2 ? element("span", { class: "whole" }, part) : part));

/** One alert; where everything is about one customer, without naming them. */
export function row(alert, known, isTheirs = false) {
  const [link, said] = subject(alert), opened = Date.parse(alert.opened_at), due = alert.due_at ? Date.parse(alert.due_at) : null;
  const more = (alert.reasons || []).map((reason) => reason.text).filter((text) => text && text !== alert.text).join("; ");
  const hasCase = alert.case_id && (known.cases || []).some((one) => one.case_id === alert.case_id);
  return element("li", { class: "case alert", "data-alert": alert.alert_id, "data-severity": alert.severity },
    element("div", { class: `grave ${tones[alert.severity] || ""}` }, alert.severity.toLowerCase()),
    element("div", {},
      element("p", {}, isTheirs ? null : link, element("span", { class: "quiet small" }, `${isTheirs || !link ? "" : " · "}${nameOfKind(alert.kind)}${alert.kind === "CHURN_RISK" ? ` ${Math.round(alert.score)} %` : ""}`,
        alert.ticket_id && !said.includes(alert.ticket_id) ? ` · ticket ${alert.ticket_id}` : "", hasCase ? " · " : "",
        hasCase ? element("a", { href: `#/cases/${encodeURIComponent(alert.case_id)}` }, "case") : null)),
      element("p", {}, ...whole(said)),
      more ? element("p", { class: "quiet small" }, more) : null),
    element("div", { class: "since small quiet", title: `since ${clock(opened)}${due ? `; due ${clock(due)}` : ""}` }, ago(opened),
      due && due > Date.now() ? element("span", {}, `due ${ago(due)}`) : null));
}

function drawChips(open) {
  const counts = Object.entries(open).map(([kind, of]) => [kind, sum(of, "CRITICAL", "WARNING", "INFO"), of.CRITICAL ? "CRITICAL" : of.WARNING ? "WARNING" : "INFO"]);
  const order = parts.flatMap(([, names]) => names), total = counts.reduce((all, [, count]) => all + count, 0);
  if (chosenKind && !open[chosenKind]) counts.push([chosenKind, 0, "INFO"]);
  const chip = (href, text, count, tone, isChosen) => element("a", { class: "chip", href, "aria-current": isChosen ? "true" : null }, text, " ", element("b", { class: tone }, count.toLocaleString("en")));
  place.querySelector(".kinds").replaceChildren(...(total || chosenKind ? [chip("#/alerts", "all", total, "", !chosenKind),
    ...counts.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)).map(([kind, count, gravest]) => chip(`#/alerts/${kind}`, nameOfKind(kind), count, tones[gravest], kind === chosenKind))] : []));
}

function drawPart(section, { alerts, matching }, known) {
  const more = matching - alerts.length;
  section.hidden = !alerts.length;
  section.querySelector("ul").replaceChildren(...alerts.map((alert) => row(alert, known)));
  section.querySelector(".more").replaceChildren(...(more <= 0 ? [] : [`and ${more.toLocaleString("en")} more`,
    ...(limit < SHOWN_MOST ? [element("button", { onclick: () => { limit = SHOWN_MOST; refresh(known); } }, "Show more")] : [": choose a kind or a severity, or ask /api/alerts/open of a customer"])]));
}

function draw(known) {
  if (!place) return;
  const empty = place.querySelector(".empty"), isAny = answers?.some((answer) => answer.alerts.length);
  empty.hidden = Boolean(isAny);
  empty.textContent = !answers ? "Loading …" : chosenKind || least !== "INFO" ? "No such alert is open."
    : "No alert is open. What is late, broken, missing or off its target appears here within a second of its being known; cases are among the hot tickets.";
  if (!answers) return;
  const focused = document.activeElement?.closest?.("[data-alert]")?.dataset.alert, href = document.activeElement?.getAttribute("href");
  drawChips(answers[0].open);
  answers.forEach((answer, i) => drawPart(place.querySelectorAll("section")[i], answer, known));
  const again = focused ? place.querySelector(`[data-alert="${CSS.escape(focused)}"]`) : href?.startsWith("#/alerts") ? place.querySelector(".kinds") : null;
  [...(again?.querySelectorAll("a") || [])].find((link) => link.getAttribute("href") === href)?.focus();
}

async function refresh(known) {
  const wanted = `${chosenKind} ${least} ${limit}`;
  asked = Date.now();
  try {
    const got = await Promise.all(parts.map(([, names]) => {
      const kind = names.filter((name) => !chosenKind || name === chosenKind);
      return kind.length ? api.openAlerts({ kind, severity: least, limit }) : { open: {}, alerts: [], matching: 0 };
    }));
    if (!place || wanted !== `${chosenKind} ${least} ${limit}`) return;
    answers = got.map((answer) => ({ ...answer, open: { ...got[0].open, ...got[1].open } }));
    draw(known);
  } catch { /* the banner says what is wrong */ }
}

/** Many at once are one question. */
function refreshSoon(known) {
  waiting ??= setTimeout(() => { waiting = null; refresh(known); }, Math.max(0, asked + PAUSE_MS - Date.now()));
}

export function show(main, known, [kind]) {
  place = main;
  chosenKind = kinds[kind] ? kind : null;
  answers = null;
  limit = SHOWN;
  const choices = severities.map(([name, label]) => element("button", { "aria-pressed": String(name === least), onclick: (event) => {
    for (const other of event.target.parentNode.children) other.setAttribute("aria-pressed", String(other === event.target));
    least = name;
    refresh(known);
  } }, label));
  main.append(element("div", { class: "bar" }, element("h1", {}, "Alerts"), element("span", { class: "quiet" }, "open now, the gravest first"), element("span", { class: "grow" }),
    element("div", { class: "choice", role: "group", "aria-label": "Severity" }, ...choices)),
    element("div", { class: "kinds", role: "group", "aria-label": "Kinds" }), element("p", { class: "empty" }),
    element("div", { class: "sides" }, ...parts.map(([title]) => element("section", { hidden: true }, element("h2", {}, title), element("ul", { class: "cases" }), element("p", { class: "more quiet" })))));
  draw(known);
  refresh(known);
}

export function changed(what, data, known) {
  if (what === "alerts") refreshSoon(known);
  else if (what === "tick" || what === "cases") draw(known);
}

export function leave() { clearTimeout(waiting); waiting = null; place = null; }

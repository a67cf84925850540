// The page: which view is shown, what is known, and what changes it.
import { api, listen } from "./source.js";
import { element } from "./format.js";
import * as now from "./now.js";
import * as hot from "./hot.js";
import * as alerts from "./alerts.js";
import * as trends from "./trends.js";
import * as scorecard from "./scorecard.js";
import * as customer from "./customer.js";
import { watchHealth } from "./health.js";

const views = { now, hot, cases: hot, alerts, trends, scorecard, customers: customer };
const main = document.getElementById("main");

/** What the views draw from; null: not answered yet. A view gets it whole and draws itself anew; changes reach it through changed(). */
export const known = { window: localStorage.getItem("window") || "24h", kpis: null, cases: null, shifts: null, offTarget: null, openAlerts: null, isStale: false };
let current = null;

function route() {
  const parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const name = views[parts[0]] ? parts[0] : "now";
  for (const link of document.querySelectorAll("nav a"))
    link.toggleAttribute("aria-current", link.getAttribute("href") === `#/${name === "cases" ? "hot" : name}`);
  current?.leave?.();
  current = views[name];
  main.replaceChildren();
  current.show(main, known, parts.slice(1));
}

const tell = (what, data) => current?.changed?.(what, data, known);

async function refreshKpis() {
  const answer = await api.kpis(known.window);
  known.kpis = new Map((answer?.kpis || []).map((kpi) => [kpi.kpi, kpi]));
  tell("kpis", null);
}

export async function chooseWindow(window) {
  known.window = window;
  localStorage.setItem("window", window);
  await refreshKpis();
}

async function refreshCases() {
  known.cases = (await api.hot())?.cases || [];
  const badge = document.getElementById("hot-count");
  const count = known.cases.filter(hot.isHot).length;
  badge.textContent = count;
  badge.hidden = count === 0;
  document.title = count ? `(${count}) touchstream` : "touchstream";
  tell("cases");
}

async function refreshShifts() {
  known.shifts = (await api.shifts())?.shifts || [];
  tell("shifts");
}

async function refreshOffTarget() {
  known.offTarget = (await api.offTarget())?.off_target || [];
  tell("off target");
}

/** How many are open, for the tab; the view that lists them asks for itself. */
async function refreshAlerts() {
  known.openAlerts = (await api.openAlerts({ limit: 1 }))?.open || {};
  const badge = document.getElementById("alert-count"), count = alerts.pressing(known.openAlerts);
  badge.textContent = count > 999 ? "999+" : count;
  badge.title = `${count.toLocaleString("en")} critical or warning`;
  badge.hidden = count === 0;
  badge.classList.toggle("calm", !alerts.isAnyCritical(known.openAlerts));
  tell("alerts");
}

function say(text) {
  const banner = document.getElementById("banner");
  banner.hidden = !text;
  banner.textContent = text || "";
}

async function refreshAll() {
  try {
    await Promise.all([refreshKpis(), refreshCases(), refreshShifts(), refreshOffTarget(), refreshAlerts()]);
    say(null);
  } catch {
    say("Redis does not answer: what you see is what was known last.");
    setTimeout(refreshAll, 2000);
  }
}

// Several alerts within a moment are one question.
const asked = new Map();
function askSoon(refresh) {
  if (!asked.has(refresh)) asked.set(refresh, setTimeout(() => { asked.delete(refresh); refresh().catch(() => {}); }, 60));
}

function onAlert(alert) {
  askSoon(alert.alert_id === alert.case_id ? refreshCases : refreshAlerts);
  if (alert.kind === "KPI_THRESHOLD" || alert.kind === "SLA_BURN") askSoon(refreshOffTarget);
}

function onEvent(name, data) {
  if (name === "hello") refreshAll();
  else if (name === "kpis") {
    if (!known.kpis) return; // the answer will have them
    const mine = data.filter((kpi) => kpi.dimension === "all" && kpi.window === known.window);
    for (const kpi of mine) known.kpis.set(kpi.kpi, kpi);
    tell("kpis", data);
  } else if (name === "alert") onAlert(data);
  else if (name === "shift") refreshShifts().catch(() => {});
  else if (name === "redis") {
    if (data.state === "back") refreshAll();
    else say("Redis is away: what you see is what was known last.");
  } else if (name === "state") {
    const state = document.getElementById("state");
    state.dataset.state = data;
    state.textContent = data;
    if (data === "disconnected") say("No connection to the dashboard's server; trying again.");
  }
}

document.getElementById("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = document.getElementById("find-customer").value.trim();
  document.activeElement?.blur();
  if (id) location.hash = `#/customers/${encodeURIComponent(id)}`;
});

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, dialog") || event.ctrlKey || event.metaKey || event.altKey) return;
  const order = ["now", "hot", "alerts", "trends", "scorecard"];
  if (event.key === "/") { event.preventDefault(); document.getElementById("find-customer").focus(); }
  else if (order[Number(event.key) - 1]) location.hash = `#/${order[Number(event.key) - 1]}`;
  else current?.key?.(event, known);
});

// The event comes a moment after the key: who has begun to type by then keeps the field.
const isTyping = () => Boolean(document.activeElement?.closest("input, select, dialog"));
addEventListener("hashchange", () => { route(); if (!isTyping()) main.focus({ preventScroll: true }); });
route();
listen(onEvent);
watchHealth();
setInterval(() => tell("tick"), 5000);
export { element };

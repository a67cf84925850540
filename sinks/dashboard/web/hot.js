// Hot tickets: who needs us now, why, and by when.
import { act } from "./source.js";
import { ago, clock, cut, element } from "./format.js";

let place = null, chosen = null, busy = new Set();
const actions = [["acknowledge", "Acknowledge", "a"], ["contact", "Contact", "c"], ["close", "Close", "x"]];
/** Hot from 70, and until it falls below 60: the journey stage keeps that, and says CRITICAL. */
export const isHot = (one) => one.severity === "CRITICAL";
const hides = { acknowledge: ["acknowledged", "in_progress"], contact: ["in_progress"], close: [] };

async function perform(caseId, verb, known) {
  if (busy.has(caseId)) return;
  busy.add(caseId);
  draw(known);
  try {
    await act(caseId, verb);
  } catch (error) {
    const note = document.querySelector(`[data-case="${CSS.escape(caseId)}"] .note`);
    if (note) note.textContent = `Not done: ${error.message}`;
  }
  busy.delete(caseId);
  setTimeout(() => place && draw(known), 1500); // the stream tells sooner
}

function due(at) {
  if (!at) return null;
  const left = at - Date.now();
  return element("span", { class: `small ${left < 0 ? "bad" : left < 1800000 ? "warn" : "quiet"}`, title: clock(at) }, left < 0 ? `overdue by ${ago(at).replace(" ago", "")}` : `due ${ago(at)}`);
}

export function row(one, known) {
  const reasons = (one.reasons || []).map((reason) =>
    element("span", { class: "chip", title: reason.event_id ? `event ${reason.event_id}` : "" }, element("b", {}, `+${Math.round(reason.points)} `), reason.text || reason.code));
  const buttons = actions.filter(([verb]) => !hides[verb].includes(one.state)).map(([verb, label, key]) =>
    element("button", { title: `${label} (${key})`, disabled: busy.has(one.case_id), "data-verb": verb, onclick: () => perform(one.case_id, verb, known) }, label));
  return element("li", { class: "case", "data-case": one.case_id, "data-severity": one.severity, "aria-current": String(one.case_id === chosen) },
    element("div", { class: "score", title: "hot score, 0 to 100" }, String(Math.round(one.priority)), element("small", {}, (one.state || "").replace("_", " "))),
    element("div", {},
      element("p", {}, element("a", { href: `#/customers/${encodeURIComponent(one.customer || "")}` }, element("b", {}, one.customer || "unknown customer")),
        element("span", { class: "quiet small" }, one.ticket ? ` · ticket ${one.ticket}` : "", ` · ${String(one.kind || "").toLowerCase().replaceAll("_", " ")}`,
          one.owner ? ` · ${one.owner}` : "", one.opened_at ? ` · ${ago(one.opened_at)}` : "", one.due_at ? " · " : ""), due(one.due_at)),
      one.text ? element("p", { class: "said" }, cut(one.text)) : null,
      element("div", { class: "reasons" }, ...reasons),
      element("p", { class: "note bad small", role: "status" })),
    element("div", { class: "acts" }, ...buttons));
}

function draw(known) {
  const list = place?.querySelector(".cases");
  if (!list) return;
  const cases = known.cases || [];
  place.querySelector(".empty").hidden = cases.length > 0;
  place.querySelector(".empty").textContent = known.cases === null ? "Loading …" : "Nobody is waiting for us. Cases appear here within a second of what gives rise to them.";
  const focused = document.activeElement?.closest?.("[data-case]")?.dataset.case, verb = document.activeElement?.dataset?.verb;
  const hot = cases.filter(isHot), others = cases.filter((one) => !isHot(one));
  list.replaceChildren(...hot.map((one) => row(one, known)),
    ...(others.length ? [element("li", { class: "divider" }, hot.length ? "Open, and not hot" : "Nothing is hot. Open cases:"), ...others.map((one) => row(one, known))] : []));
  if (focused && verb) list.querySelector(`[data-case="${CSS.escape(focused)}"] [data-verb="${verb}"]`)?.focus();
}

export function show(main, known, [caseId]) {
  place = main;
  chosen = caseId || chosen;
  main.append(element("div", { class: "bar" }, element("h1", {}, "Hot tickets"), element("span", { class: "quiet" }, "most urgent first; each point of the score has a reason")),
    element("p", { class: "empty" }), element("ul", { class: "cases" }));
  draw(known);
}

export function changed(what, data, known) {
  if (what === "cases" || what === "tick") draw(known);
}

export function key(event, known) {
  const cases = [...(known.cases || [])].sort((a, b) => isHot(b) - isHot(a)), at = cases.findIndex((one) => one.case_id === chosen);
  if (event.key === "j" || event.key === "k") {
    const next = cases[Math.max(0, Math.min(cases.length - 1, at + (event.key === "j" ? 1 : -1)))];
    chosen = next?.case_id;
    draw(known);
    place.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }
  const action = actions.find(([, , letter]) => letter === event.key);
  if (action && at >= 0 && !hides[action[0]].includes(cases[at].state)) perform(chosen, action[0], known);
}

export function leave() { place = null; }

// Customer: one timeline of everything that happened.
import { api } from "./source.js";
import { clock, cut, duration, element, value } from "./format.js";
import { row } from "./hot.js";
import { row as alertRow } from "./alerts.js";

const ALERTS_MOST = 20;
let place = null, id = null, asked = 0;

const said = (symbol) => String(symbol).toLowerCase().replaceAll("_", " ");

const words = {
  OrderPlaced: (data) => `ordered for ${(data.amount_minor / 100).toFixed(2)} ${data.currency}`,
  OrderDelivered: (data) => `order ${data.order_id} delivered`,
  ProductReturned: (data) => `returned order ${data.order_id}: ${data.reason}`,
  ProductUsed: (data) => `used ${data.feature} for ${duration(data.seconds * 1000)}`,
  SurveySent: (data) => `was asked (${data.kind})`,
  SurveyAnswered: (data) => `answered ${data.kind}: ${data.score}`,
  TicketChanged: (data) => `ticket ${data.ticket_id} ${data.action.toLowerCase().replaceAll("_", " ")}${data.team ? ` · ${data.team}` : ""}`,
  ReviewPosted: (data) => `reviewed: ${"★".repeat(data.stars)}${"☆".repeat(Math.max(0, 5 - data.stars))}`,
  SocialMention: (data) => `mentioned us on ${data.network} (reach ${data.reach})`,
  MessageEngaged: (data) => `${said(data.kind)} message ${data.action.toLowerCase()}`,
  DeviceReported: (data) => `device ${data.device_id} reported ${data.code} (${data.severity.toLowerCase()})`,
  ServiceVisited: (data) => `${data.kind.toLowerCase()} visit, ${data.fixed ? "fixed" : "not fixed"}`,
  InterviewHeld: (data) => `was interviewed by ${data.interviewer}`,
  ReferralMade: (data) => `referred ${data.referred_customer_id}${data.converted ? ", who became a customer" : ""}`,
  CaseActed: (data) => `case ${data.action.toLowerCase()} by ${data.actor}`,
  SubscriptionChanged: (data) => `subscription ${data.action.toLowerCase()}`,
  LoyaltyChanged: (data) => `loyalty: ${data.action.toLowerCase()} ${data.points || ""}`,
};

function entry(touch) {
  const data = touch.data || {}, text = data.text || data.comment || data.note;
  return element("li", { "data-mood": touch.sentiment?.label },
    element("span", { class: "quiet small" }, `${clock(Date.parse(touch.occurred_at))} · ${String(touch.channel).toLowerCase()} · ${touch.source}${touch.product ? ` · ${touch.product}` : ""}`),
    element("div", {}, (words[touch.type] || ((other) => `${touch.type} ${other.kind || other.action || ""}`))(data)),
    text ? element("blockquote", {}, cut(text)) : null,
    touch.topics?.length ? element("span", { class: "quiet small" }, touch.topics.join(", ")) : null);
}

const day = (at) => new Date(at).toLocaleDateString([], { dateStyle: "medium" });

function facts(customer) {
  const shown = [["Stage", customer.stage?.toLowerCase()], ["Events", customer.events], ["Orders", customer.orders], ["Open tickets", customer.open_ticket_count],
    ["Last NPS", customer.last_nps], ["Last CSAT", customer.last_csat], ["Last CES", customer.last_ces], ["Mean sentiment", typeof customer.mean_sentiment === "number" ? value("sentiment", customer.mean_sentiment) : null],
    ["Churn risk", customer.churn_risk === undefined || customer.churn_risk === null ? null : `${(100 * customer.churn_risk).toFixed(0)} %`], ["First seen", customer.first_seen_at ? day(customer.first_seen_at) : null], ["Last seen", customer.last_seen_at ? day(customer.last_seen_at) : null]];
  return element("dl", { class: "facts" }, ...shown.filter(([, text]) => text !== null && text !== undefined).map(([name, text]) => element("div", {}, element("dt", {}, name), element("dd", {}, String(text)))));
}

async function refresh(known) {
  asked = Date.now();
  const wanted = id;
  let answer, open;
  try { [answer, open] = await Promise.all([api.customer(id), api.openAlerts({ customer: id, limit: ALERTS_MOST })]); } catch { return; }
  if (!place || wanted !== id) return;
  const alerts = open?.alerts || [];
  place.replaceChildren(element("div", { class: "bar" }, element("h1", {}, id)),
    ...(answer ? [facts(answer.customer), element("ul", { class: "cases" }, ...(known.cases || []).filter((one) => one.customer === id).map((one) => row(one, known))),
      ...(alerts.length ? [element("h2", {}, "Open alerts"), element("ul", { class: "cases" }, ...alerts.map((alert) => alertRow(alert, known, true)))] : []), element("h2", {}, "Journey, newest first"), element("ul", { class: "timeline" }, ...answer.journey.map(entry))]
      : [element("p", { class: "empty" }, "Nobody is known under this id.")]));
}

export function show(main, known, [wanted]) {
  place = main;
  id = wanted || "";
  if (id) refresh(known);
  else main.append(element("p", { class: "empty" }, "Type a customer id above."));
}

export function changed(what, data, known) {
  if (id && (what === "cases" || (what === "alerts" && Date.now() - asked > 500) || (what === "tick" && Date.now() - asked > 4000))) refresh(known);
}
export function leave() { place = null; }

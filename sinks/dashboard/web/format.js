// What KPIs are called, and how their values read.

export const kpis = {
  nps: ["NPS", "nps", 1], brand_nps: ["Brand NPS", "nps", 1], csat: ["CSAT", "mean", 1], csat_top2: ["CSAT satisfied", "rate", 1],
  ces: ["Customer effort", "mean", 1], ces_easy: ["Effort: easy", "rate", 1], review_stars: ["Review stars", "mean", 1],
  review_low: ["Low reviews", "rate", -1], review_count: ["Reviews", "count", 0], sentiment: ["Sentiment", "signed", 1],
  negative_share: ["Negative texts", "rate", -1], survey_completion: ["Survey completion", "rate", 1],
  response_24h: ["Answered in 24 h", "rate", 1], first_response_time: ["First response", "time", -1],
  first_response_calendar: ["First response, calendar", "time", -1], next_response_time: ["Next response", "time", -1],
  resolution_time: ["Resolution", "time", -1], full_resolution_time: ["Full resolution", "time", -1],
  resolved_72h: ["Resolved in 72 h", "rate", 1], handoff_wait: ["Hand-off wait", "time", -1],
  handoffs_per_ticket: ["Hand-offs per ticket", "mean", -1], handoff_over_48h: ["Hand-offs over 48 h", "rate", -1],
  sla_first_response: ["SLA first response", "rate", 1], sla_resolution: ["SLA resolution", "rate", 1],
  fcr: ["First contact resolution", "rate", 1], reopen_rate: ["Reopened", "rate", -1], backlog: ["Open tickets", "count", -1],
  backlog_inflow: ["Tickets in", "count", 0], backlog_outflow: ["Tickets out", "count", 0], recurring: ["Recurring", "rate", -1],
  first_time_fix: ["First-time fix", "rate", 1], on_time_delivery: ["On-time delivery", "rate", 1], return_rate: ["Returns", "rate", -1],
  activation: ["Activation", "rate", 1], active_customers: ["Active customers", "count", 1], usage_minutes: ["Usage minutes", "count", 1],
  stage_customers: ["Customers by stage", "count", 0], stage_dwell: ["Stage dwell", "time", 0], stage_moves: ["Stage moves", "count", 0],
  repeat_purchase_180d: ["Repeat purchase 180 d", "rate", 1], repeat_purchase_365d: ["Repeat purchase 365 d", "rate", 1],
  renewal_rate: ["Renewals", "rate", 1], churn_rate: ["Churn", "rate", -1], retention: ["Retention", "rate", 1],
  loyalty_share: ["Loyalty members", "rate", 1], referral_rate: ["Referrals", "rate", 1], upsell_revenue: ["Upsell revenue", "count", 1],
  engagement_open: ["Messages opened", "rate", 1], engagement_click: ["Messages clicked", "rate", 1],
  uplift_onboarding: ["Uplift: onboarding", "points", 1], uplift_excellent_support: ["Uplift: support", "points", 1],
  hot_open: ["Open cases", "count", -1], loop_contact_24h: ["Contacted in 24 h", "rate", 1],
  loop_close_time: ["Time to close", "time", -1], loop_recovered: ["Recovered", "rate", 1],
};

export const nameOf = (kpi) => (kpis[kpi] ? kpis[kpi][0] : kpi);
export const kindOf = (kpi) => (kpis[kpi] ? kpis[kpi][1] : "mean");
export const directionOf = (kpi) => (kpis[kpi] ? kpis[kpi][2] : 0);

export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  const units = [[86400000, "d"], [3600000, "h"], [60000, "min"], [1000, "s"]];
  for (const [size, unit] of units)
    if (Math.abs(ms) >= size) return `${(ms / size).toFixed(Math.abs(ms) >= 10 * size ? 0 : 1)} ${unit}`;
  return `${Math.round(ms)} ms`;
}

/** A normal interval around a mean of few may leave the scale; what cannot be is not shown. */
const scales = { csat: [1, 5], ces: [1, 7], review_stars: [1, 5] };
const scalesOfKinds = { nps: [-100, 100], rate: [0, 1], signed: [-1, 1], points: [-1, 1], time: [0, Infinity] };
const scaleOf = (kpi) => scales[kpi] || scalesOfKinds[kindOf(kpi)] || [-Infinity, Infinity];
export const within = (kpi, number) => {
  const [least, most] = scaleOf(kpi);
  return Math.min(most, Math.max(least, number));
};
export const range = (kpi, low, high) => `${value(kpi, within(kpi, low))} to ${value(kpi, within(kpi, high))}`;

/** A hyphen is not a minus: it breaks lines and is too short to be seen. */
export const value = (kpi, number) => plain(kpi, number).replace("-", "−");

function plain(kpi, number) {
  if (number === null || number === undefined) return "–";
  switch (kindOf(kpi)) {
    case "rate": return `${(100 * number).toFixed(1)} %`;
    case "points": return `${number >= 0 ? "+" : ""}${(100 * number).toFixed(1)} pp`;
    case "nps": return (Math.round(number) || 0).toFixed(0);
    case "time": return duration(number);
    case "signed": return `${number >= 0 ? "+" : ""}${number.toFixed(2)}`;
    case "count": return Math.round(number).toLocaleString("en");
    default: return number.toFixed(2);
  }
}

/** How far two values are apart: never in a form that could be read as a value. Small ones keep two digits that say something. */
export function distance(kpi, number) {
  const size = Math.abs(number), digits = (one) => (one >= 10 ? one.toFixed(0) : one >= 1 || !one ? one.toFixed(1) : String(Number(one.toPrecision(2))));
  switch (kindOf(kpi)) {
    case "rate": case "points": return `${digits(100 * size)} points`;
    case "nps": return `${digits(size)} points`;
    case "time": return duration(size);
    default: return digits(size);
  }
}

export function ago(at, now = Date.now()) {
  const ms = now - at;
  return ms < 0 ? `in ${duration(-ms)}` : ms < 2000 ? "just now" : `${duration(ms)} ago`;
}

/** What was cut at a length says so. */
const CUT_FROM = 200;
export const cut = (text) => (text.length >= CUT_FROM && !/[.!?…)"”»]$/.test(text.trim()) ? `${text.trim()}…` : text);

/** A probability is never quite one. */
export const sure = (share) => (share >= 0.995 ? "over 99 % sure" : `${(100 * share).toFixed(0)} % sure`);

export const clock = (at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });

/** EMAIL, FIRST_LINE: names in capitals are ours, and read better small. */
const gentle = (text) => (/^[A-Z][A-Z_]+$/.test(text) ? text[0] + text.slice(1).toLowerCase().replaceAll("_", " ") : text);

/** "channel=EMAIL,product=a%2Cb" as people read it. */
export function dimension(text) {
  if (text === "all") return "all";
  return text.split(",").map((part) => { try { return gentle(decodeURIComponent(part.replace(/^[^=]*=/, ""))); } catch { return part; } }).join(" · ");
}

/** An element with attributes and children; texts never become markup. */
export function element(tag, attributes = {}, ...children) {
  const made = tag === "svg" || tag === "path" || tag === "line" ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, set] of Object.entries(attributes)) {
    if (set === undefined || set === null || set === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), set);
    else made.setAttribute(name, set === true ? "" : set);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

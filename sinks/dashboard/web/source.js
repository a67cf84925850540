// The server: questions, case actions, and the stream of what changes.
import { isForSigningIn, mustSignIn, signIn } from "./session.js";

async function ask(path) {
  let answer;
  while (isForSigningIn(answer = await fetch(path, { headers: { Accept: "application/json" } }))) await signIn();
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

export const api = {
  kpis: (window) => ask(`api/kpis?window=${encodeURIComponent(window)}`),
  series: (kpi, by, window) => ask(`api/series?kpi=${encodeURIComponent(kpi)}${by ? `&by=${encodeURIComponent(by)}` : ""}${window ? `&window=${window}` : ""}`),
  hot: () => ask("api/hot?limit=100"),
  shifts: () => ask("api/shifts?limit=50"),
  offTarget: () => ask("api/off_target?limit=50"),
  /** What is open and no case. Of `kind` (a list), `severity` (that and graver), `customer`: what is left out narrows nothing. */
  openAlerts: (wanted) => ask(`api/alerts/open?${new URLSearchParams(wanted)}`),
  health: () => ask("api/health"),
  scorecard: () => ask("api/scorecard"),
  customer: (id) => ask(`api/customers/${encodeURIComponent(id)}`),
};

// The token may come once in the address (#token=…): kept for this tab, taken out of the address at once.
const given = /[#&]token=([^&]+)/.exec(location.hash);
if (given) {
  sessionStorage.setItem("token", decodeURIComponent(given[1]));
  history.replaceState(null, "", location.pathname + "#/now");
}

async function whoActs(mustAsk) {
  const dialog = document.getElementById("token-dialog");
  if (!mustAsk && localStorage.getItem("actor")) return true;
  const actor = document.getElementById("actor"), token = document.getElementById("token");
  actor.value = localStorage.getItem("actor") || "";
  token.value = sessionStorage.getItem("token") || "";
  dialog.returnValue = "cancel";
  dialog.showModal();
  await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
  if (dialog.returnValue !== "ok") return false;
  localStorage.setItem("actor", actor.value);
  sessionStorage.setItem("token", token.value);
  return true;
}

/** false: the person thought better of it. Throws what the server said otherwise. */
export async function act(caseId, verb) {
  for (let mustAsk = false; ;) {
    if (!(await whoActs(mustAsk))) return false;
    const answer = await fetch(`api/cases/${encodeURIComponent(caseId)}/${verb}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${sessionStorage.getItem("token") || ""}` },
      body: JSON.stringify({ actor: localStorage.getItem("actor") }),
    });
    if (answer.ok) return true;
    if (answer.status !== 401) throw new Error((await answer.json()).error?.reason || `HTTP ${answer.status}`);
    if (await mustSignIn()) await signIn();
    else mustAsk = true;
  }
}

/** Calls on(name, data) for kpis, alert, shift, redis, and "state" with connecting | live | disconnected. */
export function listen(on) {
  let stream = null, lastWord = Date.now();
  const open = () => {
    stream = new EventSource("api/stream");
    const heard = (name) => (event) => { lastWord = Date.now(); on(name, JSON.parse(event.data)); };
    stream.addEventListener("hello", (event) => { heard("hello")(event); on("state", "live"); });
    for (const name of ["kpis", "alert", "shift", "redis"]) stream.addEventListener(name, heard(name));
    stream.onerror = async () => {
      const hasGivenUp = stream.readyState === EventSource.CLOSED; // the browser has: we do not
      if (hasGivenUp && await mustSignIn()) {
        on("state", "signed out");
        await signIn();
        open();
        return;
      }
      on("state", "disconnected");
      if (hasGivenUp) setTimeout(open, 1000);
    };
  };
  open();
  return () => Date.now() - lastWord;
}

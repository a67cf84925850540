// The footer: does the numbers' supply flow? Each service tells Redis once a second how it stands.
import { api } from "./source.js";
import { duration, element } from "./format.js";

const SILENT_MS = 10000, BEHIND_MS = 5000, EVERY_MS = 3000;

/** [what to say, is it bad] of one service. */
function standing(row, now) {
  if (now - row.at > SILENT_MS) return [`silent for ${duration(now - row.at)}`, true];
  if (row.is_live === false) return ["recovering", true];
  // Partitions in silence are ticked on, so the slowest clock tells how far behind the whole service is.
  const behind = row.lag > 0 && row.watermark ? now - row.watermark : row.behind_ms || 0;
  if (behind > BEHIND_MS) return [`${duration(behind)} behind`, true];
  return [row.records_per_second >= 0.5 ? `${Math.round(row.records_per_second).toLocaleString("en")}/s` : "up to date", false];
}

async function refresh() {
  const place = document.getElementById("health");
  try {
    const rows = Object.entries((await api.health())?.services || {}).sort(([a], [b]) => a.localeCompare(b));
    const now = Date.now();
    place.replaceChildren(...rows.flatMap(([name, row], i) => {
      const [text, isBad] = standing(row, now);
      const title = row.last_error ? `last error ${duration(now - row.last_error_at)} ago: ${row.last_error}` : "";
      return [i ? " · " : "", element("span", { title }, `${name} `, element("span", { class: isBad ? "bad" : "" }, text))];
    }));
  } catch { place.textContent = ""; }
}

export function watchHealth() {
  refresh();
  setInterval(refresh, EVERY_MS);
}

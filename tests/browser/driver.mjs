// A browser for the Python tests beside it. Reads one JSON line a step, {"code": "body of an async function"}, with `page`,
// `context` and `seen` in scope, and answers one JSON line, {"value": …} or {"error": …}. Ends when its input ends.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-dev-shm-usage"],
});
const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, locale: "en-GB", timezoneId: "UTC" });
const page = await context.newPage();

// What a page must not do is noted from the first moment on.
const seen = { console: [], errors: [], requests: [], loads: 0 };
page.on("console", (message) => { if (["error", "warning"].includes(message.type())) seen.console.push(message.text()); });
page.on("pageerror", (error) => seen.errors.push(String(error)));
page.on("request", (request) => seen.requests.push(request.url()));
page.on("load", () => seen.loads++);
page.on("dialog", (dialog) => { seen.errors.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
await page.addInitScript(() => {
  window.violations = [];
  addEventListener("securitypolicyviolation", (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
});

const Steps = Object.getPrototypeOf(async function () {}).constructor;
for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = { value: (await new Steps("page", "context", "seen", JSON.parse(line).code)(page, context, seen)) ?? null };
  } catch (error) {
    answer = { error: String(error.stack || error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
await browser.close();

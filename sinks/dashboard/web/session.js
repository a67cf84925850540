// Signing in, where the dashboard has a token for readers: the browser has a cookie then, which no script sees.

const post = (token) => fetch("api/session", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }) });

/** Why not, or null: it is taken. The token that acts opens the page, too: who signs in with it is not asked for it again. */
async function refusal(token) {
  const answer = await post(token);
  if (answer.status === 429) return `Too many wrong tokens were tried. None is looked at for ${answer.headers.get("Retry-After")} seconds.`;
  if (!answer.ok) return "That is not the token.";
  if ((await answer.json()).may_act) sessionStorage.setItem("token", token);
  return null;
}

async function askForToken() {
  const dialog = document.getElementById("sign-in"), field = document.getElementById("read-token");
  const refused = document.getElementById("sign-in-refused");
  const kept = sessionStorage.getItem("token");
  if (kept && await refusal(kept) === null) return;
  for (;;) {
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((done) => dialog.addEventListener("close", done, { once: true }));
    if (!field.value) continue; // Escape: there is nothing to see without it
    try {
      const why = await refusal(field.value);
      if (why === null) break;
      refused.textContent = why;
    } catch {
      refused.textContent = "The dashboard's server does not answer.";
    }
    refused.hidden = false;
    field.value = "";
  }
  field.value = "";
  refused.hidden = true;
}

/** Not known, or not looked at: who signs in is told which. */
export const isForSigningIn = (answer) => answer.status === 401 || answer.status === 429;

let asking = null;

/** However many questions were refused, one dialog; resolves once somebody is signed in. */
export function signIn() {
  asking ??= askForToken().finally(() => { asking = null; showSignOut(); });
  return asking;
}

async function session() {
  const answer = await fetch("api/session");
  return answer.ok ? answer.json() : { isRefused: isForSigningIn(answer) };
}

export async function mustSignIn() {
  try { return Boolean((await session()).isRefused); } catch { return false; }
}

async function showSignOut() {
  try { document.getElementById("sign-out").hidden = !(await session()).sign_in; } catch { /* asked again with the next page */ }
}

document.getElementById("sign-out").addEventListener("click", async () => {
  await fetch("api/session", { method: "DELETE" });
  sessionStorage.removeItem("token");
  location.reload();
});
showSignOut();

// Who has logged in here, and what that one may; the way to /login where nobody has.

const ROOT = new URL("../../", import.meta.url); // where the gateway's page begins, behind a proxy too
const WAIT_MS = 20000; // an answer that has not come by then does not
// Where a login may lead back to: nothing else, nowhere else.
const OURS = /^(people|queues\/[a-z0-9-]{1,64}|privacy|wall(\/[a-z0-9-]{1,64})?)?$/;

let who = null; // name, kind, role, rights; null while it is not known
let asking = null; // the one question that is on its way
let leaving = false;

export const session = () => who;

// Whether whoever is here may; false while that is not known. The gateway asks this again: here it is but for the eye.
export const may = (right) => who !== null && who.rights.includes(right);

// Where the gateway has no people, everybody who reaches it may do everything.
const ANYBODY = { name: null, kind: "anybody", role: null, rights: ["walls", "see", "say", "tend", "bench", "people"] };

export const address = (path) => new URL(path, ROOT);

// [status, what it says]; the status is 0 where no answer came.
export async function call(method, path, body) {
  const stop = new AbortController(); // AbortSignal.timeout is not in each TV that shows a wall
  setTimeout(() => stop.abort(), WAIT_MS);
  const how = { method, signal: stop.signal };
  if (body !== undefined) how.headers = { "Content-Type": "application/json" };
  if (body !== undefined) how.body = JSON.stringify(body);
  try {
    const answer = await fetch(address(path), how);
    const text = await answer.text();
    return [answer.status, parsed(text)];
  } catch {
    return [0, null];
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // nothing was said, or by a proxy
  }
}

// The same, for those who have logged in: where nobody has any more, the page goes to /login.
export async function callAs(method, path, body) {
  const [status, told] = await call(method, path, body);
  if (status === 401 && told?.kind === "login") toLogin("ended");
  return [status, told];
}

// Asks who is here: 200 or 401, and 0 or another where the gateway is away, which says nothing of anybody.
export async function askWho() {
  asking = asking ?? call("GET", "api/session");
  const [status, told] = await asking;
  asking = null;
  if (status === 200) who = told;
  if (status === 204) who = ANYBODY;
  if (status === 401) who = null;
  return status === 204 ? 200 : status;
}

// For pages that are nothing without somebody: true when it is known who is here.
export async function needWho() {
  const known = who !== null;
  const status = await askWho();
  if (status === 401) toLogin(known ? "ended" : "");
  return status === 200;
}

// To /login, and back to here after it.
export function toLogin(why) {
  if (leaving) return;
  leaving = true;
  location.replace(loginLink(why));
}

export function loginLink(why = "") {
  const back = location.pathname.slice(ROOT.pathname.length);
  const told = new URLSearchParams({ ...(OURS.test(back) && { back }), ...(why && { why }) });
  return address("login#" + told);
}

// Where a login leads: a page of ours by its name, and never what somebody else has written into a link.
export function wayBack(told) {
  const back = told.get("back") ?? "";
  return address(OURS.test(back) ? back : "");
}

// Lets a screen in: by the token behind # in its address, or as whoever has logged in there. Where it is not let in it
// says so, and tries again for ever: nobody sits at it.

import { $, make, setText } from "../dom.js";
import { call, loginLink } from "../people/session.js";
import { fill, language, words } from "../words/words.js";

const AGAIN_MS = 30000;
const REFUSED = { 401: "token", 429: "often" }; // what is said of a token that was not taken
const TOKEN_AGAIN_MS = 600000; // a token that was refused: it hardly comes back, and each try counts as a guess

let token = null; // for as long as this page is open: the gateway may forget the screen, and the screen comes back
let tokenDue = 0;
let looking = null;
let asking = null; // until it is said who this screen shall be
let timer = 0;
let onOpen = () => {};

// Takes the token out of the address, where people could read it; `open` is called whenever the screen is let in anew.
export function takeToken(open) {
  onOpen = open;
  const told = new URLSearchParams(location.hash.slice(1));
  if (!told.has("token")) return;
  token = told.get("token");
  history.replaceState(null, "", location.pathname + location.search);
}

// Another link, opened in the same window.
window.addEventListener("hashchange", () => {
  if (location.hash.includes("token=")) location.reload();
});

// With a token in hand it is used first. But anybody may write a link, and any page may open it: where a person is
// logged in, it takes that login away only when it is told so here.
export async function enter() {
  if (!token) return;
  const [status, told] = await call("GET", "api/session");
  if (status === 200 && told.kind === "person") await ask(told.name);
  else if (status === 200 || status === 401) await useToken();
}

async function ask(name) {
  const why = make("p", "", words.screen.ask_why);
  asking = new Promise((done) => {
    const instead = button(fill(words.screen.ask_instead, { name }), async () => {
      const status = await useToken();
      if (status === 204) done();
      else setText(why, words.screen.shut_why[REFUSED[status]] ?? words.no_answer);
    });
    const stay = button(fill(words.screen.ask_stay, { name }), () => {
      token = null;
      done();
    });
    show("ask", make("h1", "", fill(words.screen.ask, { name })), why, instead, stay);
    stay.focus();
  });
  await asking;
  asking = null;
  $("shut").hidden = true;
}

function button(text, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.dir = "auto";
  element.addEventListener("click", (event) => {
    event.stopPropagation(); // else it makes the screen full, too
    act();
  });
  return element;
}

async function useToken() {
  if (performance.now() < tokenDue) return 401;
  const [status] = await call("POST", "api/session", { token });
  if (status === 401) tokenDue = performance.now() + TOKEN_AGAIN_MS;
  return status;
}

// Whether the gateway lets this screen in: asked when a stream has failed, which does not say why.
export function look() {
  if (asking) return asking;
  if (!looking) {
    looking = lookOnce().finally(() => {
      looking = null;
    });
  }
  return looking;
}

async function lookOnce() {
  clearTimeout(timer);
  const [status, told] = await call("GET", "api/session");
  if (status === 200 && !told.rights.includes("walls")) shut("right");
  else if (status === 200 || status === 204) letIn(); // 204: this gateway asks nobody
  else if (status === 401) await tryToken();
  if (isShut()) timer = setTimeout(look, AGAIN_MS); // and where the gateway is away all is as it was
}

async function tryToken() {
  const tried = token ? await useToken() : 0;
  if (!token) shut("none");
  else if (tried === 204) letIn(true);
  else if (REFUSED[tried]) shut(REFUSED[tried]);
}

function letIn(anew = isShut()) {
  $("shut").hidden = true;
  if (anew) onOpen();
}

function shut(why) {
  if (!$("shut").hidden && $("shut").dataset.why === why) return;
  const text = words.screen.shut_why[why];
  const login = make("a", "", words.screen.login);
  login.href = loginLink();
  const again = make("p", "again", words.screen.shut_again);
  show(why, make("h1", "", words.screen.shut), make("p", "", text), again, login);
}

function show(why, ...parts) {
  Object.assign($("shut"), { lang: language, textContent: "" });
  $("shut").dataset.why = why;
  $("shut").append(...parts);
  $("shut").hidden = false;
}

export const isShut = () => !$("shut").hidden;

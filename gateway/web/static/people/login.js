// Logging in: a name and a password, and back to where one came from.

import { choices } from "../choices.js";
import { $, putWords, setText } from "../dom.js";
import { refusal, showButton, waitOut } from "./passwords.js";
import { askWho, call, session, wayBack } from "./session.js";
import { words } from "../words/words.js";

const told = new URLSearchParams(location.hash.slice(1));

async function logIn(event) {
  event.preventDefault();
  const [name, password] = [$("name").value.trim(), $("password").value];
  for (const box of [$("password"), $("name")]) if (!box.value.trim()) box.focus();
  if (!name || !password) return setText($("said"), words.login.both);
  $("send").disabled = true;
  setText($("said"), "");
  const [status, answer] = await call("POST", "api/session", { name, password });
  if (status === 204) return location.replace(wayBack(told));
  $("send").disabled = false;
  if (status === 429) return waitOut($("said"), $("send"), answer?.wait_s);
  setText($("said"), status === 401 ? words.login.wrong : refusal(status, answer));
  if (status !== 401) return;
  $("password").value = "";
  $("password").focus();
}

putWords();
$("choices").replaceChildren(...choices());
document.title = `${words.login.title} · Callfloor`;
const why = words.login.why[told.get("why")];
$("why").hidden = !why;
if (why) setText($("why"), why);
showButton($("password").closest(".field"));
$("login").addEventListener("submit", logIn);
// Somebody who has logged in meanwhile, in another window.
async function goOn() {
  if ((await askWho()) === 200 && session().kind === "person") location.replace(wayBack(told));
}
window.addEventListener("focus", goOn);
goOn();

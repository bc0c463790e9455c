// A one-time link: a name and a password for somebody new, or a new password for somebody known.
// The link is …/join#TOKEN, or …/join#TOKEN&NAME for somebody known; no server and no proxy sees what is behind #.

import { choices } from "../choices.js";
import { $, putWords, setText } from "../dom.js";
import { refusal, showButton, waitOut } from "./passwords.js";
import { address, call } from "./session.js";
import { words } from "../words/words.js";

// Who looks over a shoulder, or into the list of pages seen, finds none; a page that is loaded anew has it still.
const link = location.hash.slice(1) || history.state?.link || "";
const [token, known] = link.split("&", 2).map(plain);
history.replaceState({ link }, "", location.pathname);

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // cut off somewhere
  }
}

async function join(event) {
  event.preventDefault();
  const [name, password] = [$("name").value.trim(), $("password").value];
  for (const box of [$("password"), $("name")]) if (!box.value.trim()) box.focus();
  if (!name || !password) return setText($("said"), words.login.both);
  $("send").disabled = true;
  setText($("said"), "");
  const [status, told] = await call("POST", "api/join", { token, name, password });
  if (status === 204) return location.replace(address("")); // and the link is gone with this entry
  $("send").disabled = false;
  if (status === 404) return over();
  if (status === 429) return waitOut($("said"), $("send"), told?.wait_s);
  setText($("said"), refusal(status, told));
  (told?.kind === "password" ? $("password") : $("name")).focus();
}

function over() {
  history.replaceState(null, "");
  $("join").hidden = true;
  $("login-link").hidden = false;
  setText($("over"), words.join.over);
}

putWords();
$("choices").replaceChildren(...choices());
if (known) {
  Object.assign($("name"), { value: known, readOnly: true });
  $("name-rules").hidden = true;
  for (const [id, text] of [["join-title", "again_title"], ["join-what", "again_what"], ["send", "again_send"]]) {
    setText($(id), words.join[text]);
  }
}
document.title = `${$("join-title").textContent} · Callfloor`;
showButton($("password").closest(".field"));
$("join").addEventListener("submit", join);
$("join").hidden = false;
if (token) (known ? $("password") : $("name")).focus();
else over();
// Another link in the same window is another form.
window.addEventListener("hashchange", () => location.reload());

// Who one is, in the page's top line, with what belongs to that: the password, the people, the way out.

import { choices } from "../choices.js";
import { $, make } from "../dom.js";
import { field, refusal, showButton, waitOut } from "./passwords.js";
import { address, call, callAs, may, session, toLogin } from "./session.js";
import { words } from "../words/words.js";

let drawn = "";

// Where nobody has to say who he is, the menu has nobody's name and only what a reader chooses.
export function drawMe() {
  const who = session();
  const known = JSON.stringify(who && [who.name, who.kind, who.role]);
  if (known === drawn) return;
  drawn = known;
  $("me").replaceChildren(...(who ? menuOf(who) : []));
}

function menuOf({ name, kind, role }) {
  const shown = make("b", "", name ?? words.me.anybody);
  shown.dir = "auto";
  const opener = make("button", "", shown, ...(name ? [make("span", "label", words.role[role] ?? role)] : []));
  opener.type = "button";
  opener.id = "me-open";
  opener.setAttribute("aria-controls", "me-menu");
  opener.ariaExpanded = "false";
  const items = make("ul", "");
  items.id = "me-menu";
  items.hidden = true;
  const there = document.body.dataset.page === "people";
  if (name && may("people") && !there) items.append(make("li", "", link("people", words.people.title)));
  if (may("see") && document.body.dataset.page !== "privacy") items.append(make("li", "", link("privacy", words.privacy)));
  if (kind === "person") items.append(make("li", "", button(words.me.password, changePassword)));
  items.append(make("li", "choices", ...choices()));
  if (name) items.append(make("li", "", button(words.me.out, logOut)));
  opener.addEventListener("click", () => open(items.hidden));
  return [opener, items];
}

function link(path, text) {
  const element = make("a", "", text);
  element.href = address(path);
  return element;
}

function button(text, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

function open(is) {
  const menu = $("me-menu");
  if (!menu) return;
  menu.hidden = !is;
  $("me-open").ariaExpanded = String(is);
  if (is) menu.querySelector("a, button, select").focus();
}

// Browsers keep a page that was left, as it was, for whoever goes back to it: what it showed is looked for anew.
function showNobodyElse() {
  window.addEventListener("pagehide", () => {
    document.documentElement.hidden = true;
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

export function listenToMe() {
  showNobodyElse();
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || $("me-menu")?.hidden !== false) return;
    open(false);
    $("me-open").focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#me")) open(false);
  });
  $("me").addEventListener("focusout", (event) => {
    if (event.relatedTarget && !event.relatedTarget.closest("#me")) open(false);
  });
}

async function logOut() {
  const [status] = await call("DELETE", "api/session");
  if (status) toLogin("out");
  else alertMe(words.no_answer);
}

function alertMe(text) {
  const told = $("me").querySelector("[role=alert]") ?? $("me").appendChild(make("p", "refused", ""));
  told.role = "alert";
  told.textContent = text;
}

// ---- another password ----

function changePassword() {
  open(false);
  const box = make("dialog", "narrow");
  const title = make("h2", "", words.me.password);
  title.id = "password-title";
  box.setAttribute("aria-labelledby", title.id);
  const name = field(words.name, { autocomplete: "username", value: session().name, readOnly: true, dir: "auto" });
  const old = field(words.me.old, { type: "password", autocomplete: "current-password", autofocus: true });
  const next = field(words.me.next, { type: "password", autocomplete: "new-password" }, words.password_rules);
  const said = make("p", "said", "");
  said.role = "status";
  const send = make("button", "main", words.me.change);
  const form = make("form", "stack", title, name, old, next, make("p", "label", words.me.others_end), said,
    make("div", "buttons", send, button(words.cancel, () => box.close())));
  form.noValidate = true;
  showButton(next);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = { old: old.querySelector("input").value, new: next.querySelector("input").value };
    send.disabled = true;
    const [status, told] = await callAs("PUT", "api/session/password", values);
    send.disabled = false;
    if (status === 204) {
      const close = button(words.close, () => box.close());
      form.replaceChildren(title, make("p", "", words.me.changed), make("div", "buttons", close));
      close.focus();
    } else if (status === 429) waitOut(said, send, told?.wait_s);
    else said.textContent = status === 401 ? words.me.old_wrong : refusal(status, told);
  });
  box.append(form);
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}

// A link or a token that was just made: shown this once, to be copied, and forgotten when it is closed.

import { $, make, setText } from "./dom.js";
import { address, call } from "./people/session.js";
import { fill, moment, words } from "./words/words.js";

// An invitation's link; `name` where it is for a new password of somebody known.
export function showLink({ token, ends }, name) {
  const link = address("join#" + token + (name === null ? "" : "&" + encodeURIComponent(name)));
  setText($("made-title"), name === null ? words.people.link_title : fill(words.people.link_title_of, { name }));
  show(fill(words.people.link_what, { at: moment(ends) }), part(words.people.link, link));
}

// A token; where it is a screen's, the whole address that screen opens.
export async function showToken({ token, ends }, name, role) {
  setText($("made-title"), fill(words.people.token_title, { name }));
  const parts = [part(words.people.token, token)];
  show(fill(words.people.token_told, { at: moment(ends) }), ...parts);
  if (role !== "wall") return;
  const [status, plan] = await call("GET", "api/plan");
  const walls = status === 200 ? plan.walls : [];
  const linkTo = (wall) => address(`wall${wall && "/" + encodeURIComponent(wall)}#token=${token}`);
  const link = part(words.people.screen_link, linkTo(walls[0]?.id ?? ""));
  if (walls.length > 1) {
    const choice = make("select", "");
    choice.id = "made-wall";
    choice.append(...walls.map(({ id, name: title }) => new Option(title, id)));
    choice.addEventListener("change", () => {
      link.querySelector("input").value = linkTo(choice.value);
      setText($("made-said"), "");
    });
    const label = make("label", "", words.people.screen_wall);
    label.htmlFor = choice.id;
    $("made-parts").append(make("div", "field", label, make("div", "entry", choice)));
  }
  $("made-parts").append(link);
}

function show(what, ...parts) {
  setText($("made-what"), what);
  setText($("made-said"), "");
  $("made-parts").replaceChildren(...parts);
  $("made").showModal();
  parts[0].querySelector("button").focus();
}

function part(text, value) {
  const box = make("input", "secret");
  Object.assign(box, { value, readOnly: true, spellcheck: false, autocomplete: "off", dir: "ltr" });
  box.id = "made-" + $("made-parts").childElementCount + text.length;
  box.addEventListener("focus", () => box.select());
  const label = make("label", "", text);
  label.htmlFor = box.id;
  const copy = make("button", "", words.people.copy);
  copy.type = "button";
  copy.ariaLabel = `${words.people.copy}: ${text}`;
  copy.addEventListener("click", async () => {
    setText($("made-said"), (await copied(box)) ? words.people.copied : words.people.copy_by_hand);
  });
  return make("div", "field", label, make("div", "entry", box, copy));
}

// Browsers have a clipboard on https:// and on the computer itself only; elsewhere what is marked can be copied.
async function copied(box) {
  try {
    await navigator.clipboard.writeText(box.value);
    return true;
  } catch {
    box.focus();
    box.select();
    return document.execCommand("copy");
  }
}

export function listenToMade() {
  $("made-close").addEventListener("click", () => $("made").close());
  $("made").addEventListener("close", () => $("made-parts").replaceChildren());
}

// What the forms with a password have in common: their fields, what is wrong, and waiting after too many tries.

import { make, setText } from "../dom.js";
import { number, words } from "../words/words.js";

let fields = 0;

// A field below its label, with a word on how to fill it in.
export function field(text, input, hint) {
  const box = Object.assign(make("input", ""), { spellcheck: false, autocapitalize: "none", ...input });
  box.id = `field-${++fields}`;
  const label = make("label", "", text);
  label.htmlFor = box.id;
  const element = make("div", "field", label, make("div", "entry", box));
  if (hint) {
    const said = make("p", "label", hint);
    said.id = box.id + "-hint";
    box.setAttribute("aria-describedby", said.id);
    element.append(said);
  }
  return element;
}

// A button beside a password that makes it readable: so that nobody has to write it twice.
export function showButton(element) {
  const box = element.querySelector("input");
  const button = make("button", "", words.show);
  button.type = "button";
  button.ariaPressed = "false";
  button.addEventListener("click", () => {
    const shown = box.type === "text";
    box.type = shown ? "password" : "text";
    button.ariaPressed = String(!shown);
    box.focus();
  });
  box.form?.addEventListener("submit", () => hide(box, button), true);
  box.after(button);
}

// What is sent is a password again: browsers offer to keep it only then.
function hide(box, button) {
  box.type = "password";
  button.ariaPressed = "false";
}

// Why it was not done, in the reader's language; by the kinds of gateway/people/http.py.
export function refusal(status, told) {
  if (!status) return words.no_answer;
  return words.people_refused[told?.kind] ?? told?.words ?? words.people_refused.other;
}

// Says for how long nothing more can be tried, second by second: aloud once, then in silence.
export function waitOut(said, button, wait_s = 5) {
  const end = performance.now() + wait_s * 1000;
  const [before, after] = words.too_often.split("{n}");
  const count = make("span", "", "");
  count.ariaLive = "off";
  said.replaceChildren(before, count, after);
  button.disabled = true;
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    setText(count, number(Math.max(0, left)));
    if (left > 0) return;
    clearInterval(timer);
    button.disabled = false;
    said.replaceChildren();
  };
  const timer = setInterval(tick, 250);
  tick();
}

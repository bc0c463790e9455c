// What a wall itself says that it shows, in words: its scene, how old its figures are, how bright it is, its message.

import { make, setData, setText } from "../dom.js";
import { gatewayNow, said } from "../stream.js";
import { fill, percent, span, words } from "../words/words.js";

// [what, words, whether it is as it should be], in this order; [] while it has said nothing, or cannot: a browser.
export function saysOf(id, doc) {
  if (!doc || typeof doc.shown !== "string") return [];
  return [sceneOf(doc), figuresOf(doc), lightOf(doc), messageOf(id, doc)].filter(Boolean);
}

function sceneOf({ shown, scene }) {
  return shown === scene ? ["scene", words.wall_scene.same, true] : ["scene", words.wall_scene.other, false];
}

// Their age counts on from when it was said.
function figuresOf({ fresh, shown_age_s: age_s, said_ms, percent: should, shown_percent: shines }) {
  if (should === 0 && !shines) return null; // dark, as planned: nothing proves what nobody sees
  if (fresh) return ["figures", words.wall_figures.fresh, true];
  if (typeof age_s !== "number") return ["figures", words.wall_figures.unproved, false];
  const since_s = Math.max(0, ((gatewayNow() ?? said_ms) - said_ms) / 1000 || 0);
  return ["figures", fill(words.wall_figures.old, { span: span(age_s + since_s) }), false];
}

function lightOf({ percent: should, shown_percent: shines, wrong }) {
  if (typeof shines !== "number") return null;
  const asIs = shines === 0 ? words.wall_light.off : fill(words.wall_light.on, { share: percent(shines / 100) });
  if (!["dark", "lit", "dim"].includes(wrong)) return ["light", asIs, true];
  const wanted = should === 0 ? words.wall_light.should_off : words.wall_light.should;
  return ["light", `${asIs}, ${fill(wanted, { share: percent(should / 100) })}`, false];
}

function messageOf(id, { message, shown_message: shown }) {
  if (!message && !shown) return ["message", words.wall_message.none, true];
  if (!shown) return ["message", words.wall_message.missing, false];
  if (shown !== message) return ["message", words.wall_message.other, false];
  const text = textOn(id);
  return ["message", text ? fill(words.wall_message.shown, { text }) : words.wall_message.some, true];
}

// The text that stands on a wall, of supervisors or of the site file.
function textOn(id) {
  const { standing, others } = said.get("messages") ?? { standing: [], others: [] };
  return [...standing, ...others].find(({ on }) => on.includes(id))?.text;
}

// The lines of `saysOf`, each touched only where it differs.
export function putSays(list, facts) {
  while (list.children.length > facts.length) list.lastChild.remove();
  facts.forEach(([what, text, right], n) => {
    const line = list.children[n] ?? list.appendChild(make("li", ""));
    line.dir = "auto";
    setText(line, text);
    setData(line, "what", what);
    setData(line, "right", String(right));
  });
}

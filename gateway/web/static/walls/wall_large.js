// One wall, large: its lights, what it says of itself, what is the matter and what to do. Made when it is asked for.

import { make, setData, setText } from "../dom.js";
import { gatewayNow } from "../stream.js";
import { putSays } from "./wall_says.js";
import { fill, sentence, span, told, words } from "../words/words.js";

// Opens it. Returns {id, canvas, size, none, draw(doc, facts, fresh)}: `draw` puts words in, and is called as often as
// they may change; `closed` once nobody looks any more.
export function openLarge({ id, name, size }, closed) {
  const [title, canvas, none] = [make("h2", "", name), make("canvas", ""), make("p", "none", words.no_picture)];
  title.id = "wall-large-title";
  title.dir = "auto";
  canvas.role = "img";
  canvas.ariaLabel = fill(words.wall_aloud, { name });
  [canvas.width, canvas.height] = size;
  const [state, says] = [make("p", "wrong", ""), make("ul", "says")];
  state.role = "status";
  state.dir = "auto";
  says.ariaLabel = fill(words.wall_says, { name });
  const close = make("button", "", words.close);
  close.type = "button";
  const link = make("a", "", words.wall_itself);
  link.href = `wall/${id}`;
  const box = make("dialog", "large", make("div", "title", title, close), make("div", "picture", canvas, none), state,
    says, link);
  box.id = "wall-large";
  box.setAttribute("aria-labelledby", title.id);
  close.addEventListener("click", () => box.close());
  box.addEventListener("close", () => {
    box.remove();
    closed();
  });
  document.body.append(box);
  box.showModal();
  return {
    id, canvas, size, none,
    draw(doc, facts, fresh) {
      setData(box, "fresh", fresh);
      setText(state, wrong(doc));
      putSays(says, facts);
    },
  };
}

// What is the matter, for how long, and what to do; nothing where all is well.
function wrong(doc) {
  if (!doc) return sentence(words.nothing_said) + ".";
  if (!doc.wrong) return doc.reason ? `${sentence(told(doc.reason))}.` : "";
  const now = gatewayNow() ?? doc.said_ms;
  const seconds = Math.max(0, doc.for_s + (now - doc.said_ms) / 1000 || 0);
  // Said aloud when it changes: not each second.
  const long = seconds < 60 ? "" : `, ${fill(words.finding_for, { span: span(seconds) })}`;
  return `${sentence(told(doc.reason))}${long}. ${doc.todo ? `${sentence(told(doc.todo))}.` : ""}`.trim();
}

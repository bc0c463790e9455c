// What a reader chooses for this browser: the language, and light or dark. first.js puts it into effect.

import { make } from "./dom.js";
import { LANGUAGES, language, words } from "./words/words.js";

const THEMES = ["", "light", "dark"]; // the first: as the computer asks
const OWN_NAMES = { en: "English", nb: "Norsk", sv: "Svenska" }; // each in itself, so that all find theirs

// Two fields, in a form's look.
export function choices() {
  const tongues = LANGUAGES.map((tag) => option(tag, OWN_NAMES[tag], tag === language));
  for (const tongue of tongues) tongue.lang = tongue.value;
  const theme = document.documentElement.dataset.theme ?? "";
  const themes = THEMES.map((name) => option(name, words.me.themes[name || "computer"], name === theme));
  return [
    chooser(words.me.language, tongues, (tag) => keep("language", tag) && location.reload()),
    chooser(words.me.theme, themes, (name) => {
      keep("theme", name);
      if (name) document.documentElement.dataset.theme = name;
      else delete document.documentElement.dataset.theme;
    }),
  ];
}

function option(value, text, selected) {
  return Object.assign(make("option", "", text), { value, selected });
}

function chooser(text, options, choose) {
  const select = make("select", "", ...options);
  select.addEventListener("change", () => choose(select.value));
  return make("label", "choice", make("span", "", text), select);
}

// False where the browser keeps nothing for us: what was chosen would be gone with the next page.
function keep(what, value) {
  try {
    if (value) localStorage.setItem(`callfloor-${what}`, value);
    else localStorage.removeItem(`callfloor-${what}`);
    return true;
  } catch {
    return false;
  }
}

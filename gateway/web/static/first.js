// Before anything is drawn: light or dark, and in which language, as somebody chose here or else as the computer asks.
// A plain script, which the browser waits for: a module would come when the page has been seen already.

(() => {
  const LANGUAGES = ["en", "nb", "sv"];
  const BOKMAL = ["no", "nn"]; // other tags of those who read it
  const THEMES = ["light", "dark"];
  const root = document.documentElement;

  function chosen(what) {
    try {
      return localStorage.getItem(`callfloor-${what}`);
    } catch {
      return null; // a browser may keep nothing for us
    }
  }

  function putTheme() {
    const theme = chosen("theme");
    if (THEMES.includes(theme)) root.dataset.theme = theme;
    else delete root.dataset.theme;
  }

  const asked = navigator.languages.map((tag) => tag.split("-")[0]).map((tag) => (BOKMAL.includes(tag) ? "nb" : tag));
  root.lang = [chosen("language"), ...asked].find((tag) => LANGUAGES.includes(tag)) ?? "en";
  putTheme();
  addEventListener("storage", putTheme); // chosen in another window

  // What words.js will ask for is on its way already.
  for (const kind of root.lang === "en" ? ["words"] : ["words", "told"]) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = new URL(`words/${kind}_${root.lang}.js`, document.currentScript.src);
    document.head.append(link);
  }
})();

/* Light and dark: as the system, the page around, or the reader wants it. */
"use strict";

const theme = (() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const listeners = [];
  let choice = "auto";

  /** The colours of the page that this one stands in, where it says which. */
  function around() {
    try {
      if (parent === window) return null;
      const { documentElement: outer, body } = parent.document;
      if (body.dataset.jpThemeLight)
        return body.dataset.jpThemeLight === "true" ? "light" : "dark";
      const said = outer.dataset.theme || outer.dataset.bsTheme;
      return said === "light" || said === "dark" ? said : null;
    } catch {
      return null; // a page of another origin keeps that to itself
    }
  }

  function now() {
    return root.dataset.theme;
  }

  function set() {
    const auto = around() || (system.matches ? "dark" : "light");
    root.dataset.theme = choice === "auto" ? auto : choice;
    const button = document.getElementById("theme");
    const words = { auto: "as the system has it", light: "light", dark: "dark" };
    button.textContent = `Colours: ${choice}`;
    button.title = `Colours are ${words[choice]}; click to change`;
    for (const listener of listeners) listener();
  }

  function color(variable) {
    return getComputedStyle(root).getPropertyValue(`--${variable}`).trim();
  }

  /** Call a function whenever the colours have changed. */
  function listen(f) {
    listeners.push(f);
  }

  function next() {
    choice = { auto: "light", light: "dark", dark: "auto" }[choice];
    set();
  }

  system.addEventListener("change", set);
  return { color, listen, next, now, set };
})();

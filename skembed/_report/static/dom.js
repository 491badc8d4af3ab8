/* Small helpers of a page: all text goes in as text, never as markup. */
"use strict";

const dom = (() => {
  const SVG = "http://www.w3.org/2000/svg";

  function element(tag, properties = {}, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "class") made.className = value;
      else if (key === "on") {
        for (const [event, f] of Object.entries(value)) made.addEventListener(event, f);
      } else if (value !== undefined && value !== null && value !== false) {
        made.setAttribute(key, value);
      }
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  function svg(tag, attributes, ...children) {
    const made = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) {
      made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  /** A name of whatever script, set apart from the text around it. */
  function name(text, long = 0) {
    const made = element("bdi");
    made.textContent = long && text.length > long ? `${text.slice(0, long)}…` : text;
    return made;
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  function later(f, wait) {
    let timer = null;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(f, wait);
    };
  }

  function clone(id) {
    const made = document.getElementById(id).content.cloneNode(true);
    const at = {};
    for (const part of made.querySelectorAll("[data-at]")) at[part.dataset.at] = part;
    return { made, at };
  }

  const plural = (n, what) => `${logic.number(n, 12)} ${what}${n === 1 ? "" : "s"}`;

  // A tip beside the pointer.

  const tip = document.getElementById("tip");

  function showTip(lines, x, y) {
    tip.replaceChildren(...lines);
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(x + 14, innerWidth - width - 6)}px`;
    tip.style.top = `${y + height + 22 > innerHeight ? y - height - 10 : y + 16}px`;
  }

  function hideTip() {
    tip.hidden = true;
  }

  return { clone, element, hideTip, later, name, plural, say, showTip, svg };
})();

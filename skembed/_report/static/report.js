/* The page of a report: its title and its tabs, each made when it is first opened. */
"use strict";

(() => {
  const { element, hideTip, name } = dom;
  const { number } = logic;
  const outline = JSON.parse(document.getElementById("outline").textContent);
  const tabs = [];
  const opened = new Set();

  async function openTab(k, { andFocus = false } = {}) {
    tabs.forEach(({ tab, panel }, i) => {
      tab.setAttribute("aria-selected", String(i === k));
      tab.tabIndex = i === k ? 0 : -1;
      panel.hidden = i !== k;
    });
    hideTip();
    const { tab, panel, open } = tabs[k];
    if (andFocus) tab.focus();
    tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (opened.has(k)) return;
    opened.add(k);
    panel.replaceChildren(element("p", { class: "wait" }, "Opening …"));
    // Let the page be drawn before the work begins.
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    try {
      await open(panel);
      panel.dataset.ready = "true";
    } catch (error) {
      panel.replaceChildren(
        element("p", { class: "note" }, `This part could not be drawn: ${error.message}`),
      );
      throw error;
    }
  }

  function makeTabs() {
    const list = document.getElementById("tabs");
    const panels = document.getElementById("panels");
    const add = (text, n, open) => {
      const k = tabs.length;
      const tab = element(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${k}`,
          "aria-controls": `panel-${k}`,
          on: { click: () => openTab(k) },
        },
        name(text, 60),
      );
      if (n !== null) tab.append(element("span", { class: "n" }, number(n, 9)));
      const panel = element("div", {
        role: "tabpanel",
        id: `panel-${k}`,
        "aria-labelledby": `tab-${k}`,
      });
      list.append(tab);
      panels.append(panel);
      tabs.push({ tab, panel, open });
    };
    outline.columns.forEach((column, k) =>
      add(column.name, column.total, (panel) =>
        new columns.Column(k, panel, outline.figures).open(),
      ),
    );
    add("The fit", null, (panel) => fit.open(panel, outline));
    list.addEventListener("keydown", (event) => {
      const now = tabs.findIndex(({ tab }) => tab === document.activeElement);
      const n = tabs.length;
      const next = {
        ArrowRight: (now + 1) % n,
        ArrowLeft: (now - 1 + n) % n,
        Home: 0,
        End: n - 1,
      }[event.key];
      if (next === undefined || now < 0) return;
      event.preventDefault();
      openTab(next, { andFocus: true });
    });
  }

  function begin() {
    document.getElementById("title").textContent = outline.title;
    const facts = outline.fit;
    const words = [facts.estimator, `${number(facts.nRows, 12)} rows`];
    if (facts.score !== null)
      words.push(`${facts.scoreName} ${number(facts.score, 3)} on the rows given`);
    if (facts.noise.length === 1) words.push(`noise ${number(facts.noise[0])}`);
    document.getElementById("subtitle").textContent = words.join("  ·  ");
    document.getElementById("theme").addEventListener("click", theme.next);
    theme.set();
    makeTabs();
    openTab(0);
  }

  begin();
})();

"""What a reader does on the page of a report, for tests that drive a browser."""

import time

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

# Where points are on the screen, from Bokeh's own ranges and frame.
_PLACES = """
const [panel, name, source, x, y] = arguments;
const box = document.querySelector(`#${panel} [data-at=${name}]`);
for (const doc of Bokeh.documents) {
  const figure = doc.get_model_by_name(name);
  if (!figure) continue;
  const view = Bokeh.index.find_one_by_id(figure.id);
  if (!view || !box.contains(view.el)) continue;
  const frame = view.frame.bbox;
  const outer = view.el.getBoundingClientRect();
  const data = doc.get_model_by_name(source).data;
  const [xr, yr] = [figure.x_range, figure.y_range];
  return Array.from(data[x], (v, i) => [
    outer.left + frame.left + (v - xr.start) / (xr.end - xr.start) * frame.width,
    outer.top + frame.top + (yr.end - data[y][i]) / (yr.end - yr.start) * frame.height,
  ]);
}
return null;
"""


class Page:
    """A report that is open in the browser."""

    def __init__(self, browser, address, tab=0):
        self.browser = browser
        browser.get_log("browser")  # what is there is another page's
        browser.get(address)
        self.tab = 0
        self.open(tab)

    def open(self, tab):
        """Open a tab, and wait until it is drawn."""
        self.browser.find_element(By.ID, f"tab-{tab}").click()
        self.tab = tab
        ready = f"return document.getElementById('panel-{tab}').dataset.ready"
        self.wait(lambda: self.browser.execute_script(ready) == "true")
        self.settle()

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    def settle(self):
        """Let what waits for a moment of quiet happen, and be drawn."""
        self.browser.execute_async_script(
            "const done = arguments[0];"
            "setTimeout(() => requestAnimationFrame(() => done()), 350)"
        )

    def find(self, selector):
        return self.browser.find_element(
            By.CSS_SELECTOR, f"#panel-{self.tab} {selector}"
        )

    def all(self, selector):
        return self.browser.find_elements(
            By.CSS_SELECTOR, f"#panel-{self.tab} {selector}"
        )

    def at(self, name):
        return self.find(f"[data-at={name}]")

    def type(self, text):
        field = self.at("search")
        field.clear()
        field.send_keys(text)

    def choose_from_list(self, name, text):
        """Choose an option of a select by its text."""
        from selenium.webdriver.support.select import Select

        Select(self.at(name)).select_by_visible_text(text)
        self.settle()

    def slide(self, steps):
        from selenium.webdriver.common.keys import Keys

        self.at("least").send_keys(Keys.ARROW_RIGHT * steps)
        self.settle()

    def places(self, name="map", source="points", x="x", y="y"):
        """Return where the points of a drawing are, in pixels of the window."""
        self.browser.execute_script(
            "arguments[0].scrollIntoView({ block: 'center' })", self.at(name)
        )
        args = f"panel-{self.tab}", name, source, x, y
        return self.browser.execute_script(_PLACES, *args)

    def drag(self, path):
        """Press at the first place, move along the others, let go."""
        (x, y), *rest = path
        actions = ActionChains(self.browser, duration=20)
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.click_and_hold()
        for x, y in rest:
            actions.w3c_actions.pointer_action.move_to_location(round(x), round(y))
        actions.release().perform()
        self.settle()

    def point(self, place, *, click=False):
        """Move the pointer to a place, and perhaps click there."""
        actions = ActionChains(self.browser, duration=20)
        actions.w3c_actions.pointer_action.move_to_location(*map(round, place))
        if click:
            actions.click()
        actions.perform()
        self.settle()

    def data(self, source):
        """Return the data of a source of Bokeh on the open tab."""
        return self.browser.execute_script(
            "const [panel, name] = arguments;"
            "const box = document.getElementById(panel);"
            "for (const doc of Bokeh.documents) {"
            "  const found = doc.get_model_by_name(name);"
            "  const view = Bokeh.index.find_one_by_id(doc.roots()[0].id);"
            "  if (found && view && box.contains(view.el)) return found.data;"
            "}",
            f"panel-{self.tab}",
            source,
        )

    @property
    def errors(self):
        """What the console has said that is no mere information."""
        return [e for e in self.browser.get_log("browser") if e["level"] != "INFO"]

    @property
    def card(self):
        return self.at("card")

    @property
    def name(self):
        return self.find("[data-at=card] .name").text

    @property
    def listed(self):
        return self.at("list-title").text

    @property
    def names(self):
        return [row.text for row in self.all("[data-at=list] tbody td:first-child")]

    @property
    def near(self):
        """Return (name, distance, tied) of the nearest tokens on the card."""
        found = []
        for item in self.all(".near li"):
            name = item.find_element(By.TAG_NAME, "button").text
            number, *sign = item.find_element(By.CLASS_NAME, "number").text.split()
            found.append((name, float(number), sign == ["≈"]))
        return found

"""The page of a report in a real browser: every control, and what it shows."""

import csv
import io

import numpy as np
import pytest
from hostile import HOSTILE
from sklearn.frozen import FrozenEstimator

from skembed import EmbeddingRegressor, TokenReport, TokenSimilarity

pytest.importorskip("selenium", reason="selenium drives the browser")

from page_driver import Page
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def page(browser, written, town_report):
    opened = Page(browser, written("towns", town_report))
    yield opened
    assert opened.errors == []


def shown_number(text):
    return float(text.replace("−", "-").replace("+", "").replace(",", ""))


def effects(regressor, X, column):
    """Effects by hand: predictions with each token in the reference rows."""
    rng = np.random.RandomState(0)
    share = np.full(len(X), 1 / len(X))
    rows = X[np.sort(rng.choice(len(X), 100, replace=False, p=share))]
    found = []
    for token in regressor.categories_[column]:
        changed = rows.copy()
        changed[:, column] = token
        found.append(regressor.predict(changed).mean())
    counts = regressor.category_counts_[column]
    return np.array(found) - np.average(found, weights=counts)


def test_it_opens_without_network_and_without_errors(page, town_report):
    assert page.browser.title == "Towns & <colours>"
    assert page.listed == "30 tokens"
    names = page.browser.execute_script(
        "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    )
    assert [name for name in names if not name.startswith(("data:", "blob:"))] == []


def test_effects_and_intervals_are_the_estimators(page, towns):
    regressor, X, _ = towns
    found = dict(zip(regressor.categories_[0], effects(regressor, X, 0), strict=True))
    for row in page.all("[data-at=list] tbody tr"):
        name, count, effect, interval = (
            cell.text for cell in row.find_elements(By.TAG_NAME, "td")
        )
        assert shown_number(effect) == pytest.approx(found[name], rel=6e-3, abs=6e-3)
        k = regressor.categories_[0].tolist().index(name)
        assert shown_number(count) == regressor.category_counts_[0][k]
        low, high = map(shown_number, interval.split(" to "))
        assert low < shown_number(effect) < high


def test_search_finds_a_token_and_its_card_is_that_of_similarity(page, towns):
    regressor, X, y = towns
    page.type("TOWN 07")
    options = page.all("[role=option]")
    assert [o.text.splitlines()[0] for o in options] == ["town 07"]
    field = page.at("search")
    assert field.get_attribute("aria-expanded") == "true"
    assert field.get_attribute("aria-activedescendant") == options[0].get_attribute(
        "id"
    )
    field.send_keys(Keys.ENTER)
    page.settle()
    assert page.name == "town 07"
    similarity = TokenSimilarity(
        FrozenEstimator(regressor), feature=0, metric="outcome", random_state=0
    ).fit(X, y)
    answers = similarity.most_similar("town 07", n=10, return_tied=True)
    assert [name for name, *_ in page.near] == [token for token, *_ in answers]
    assert [tied for *_, tied in page.near] == [tied for *_, tied in answers]
    gaps = [gap for _, gap, _ in answers]
    assert [gap for _, gap, _ in page.near] == pytest.approx(gaps, rel=6e-3)
    raw = y[X[:, 0] == "town 07"].mean()
    values = [shown_number(cell.text) for cell in page.all(".card dd")[:4]]
    assert values[0] == (X[:, 0] == "town 07").sum()
    assert values[1] == pytest.approx(raw, rel=6e-4)
    assert values[3] == 7.0  # height, from the metadata


def test_a_neighbour_is_a_way_to_its_card(page):
    first = page.near[0][0]
    page.find(".near button").click()
    page.settle()
    assert page.name == first


def test_search_says_that_nothing_is_found_and_offers_the_unknown_token(page):
    page.type("no such place")
    assert page.all("[role=option]") == []
    assert "No token" in page.at("found").text
    page.type("unknown")
    page.at("search").send_keys(Keys.ENTER)
    page.settle()
    assert page.name == "an unknown token"
    assert "the prior" in page.card.text


def test_hover_shows_a_tip_and_a_click_the_card(page):
    places = page.places()
    # The first point is the most frequent token.
    page.point(places[0])
    tip = page.browser.find_element(By.ID, "tip")
    assert tip.is_displayed()
    assert "town 00" in tip.text
    assert len(page.data("rings")["x"]) >= 1
    page.point(places[3], click=True)
    assert page.name == "town 03"


def test_lasso_selects_what_is_inside(page):
    page.at("lasso").click()
    places = np.array(page.places())
    left, top = places.min(axis=0) - 8
    right, bottom = places.max(axis=0) + 8
    middle = np.median(places[:, 0])
    page.drag(
        [(left, top), (left, bottom), (middle, bottom), (middle, top), (left, top + 3)]
    )
    inside = {f"town {k:02d}" for k in np.flatnonzero(places[:, 0] < middle)}
    assert set(page.names) == inside
    assert page.listed == f"{len(inside)} tokens selected"
    # The other drawing has it, too: what is not selected is faint.
    alpha = np.array(page.data("bars")["alpha"])
    assert (alpha > 0.5).sum() == len(inside)
    page.at("clear").click()
    assert page.listed == "30 tokens"


def test_a_brush_in_the_order_selects_on_the_map(page):
    places = page.places("caterpillar", "bars", "rank", "effect")
    y = places[0][1]
    page.drag([(places[0][0] - 3, y), (places[4][0], y + 4), (places[4][0] + 3, y)])
    assert page.listed == "5 tokens selected"
    shown = {shown_number(e.text) for e in page.all("[data-at=list] td:nth-child(3)")}
    assert max(shown) < 0


def test_the_slider_leaves_out_rare_tokens(page, towns):
    regressor, *_ = towns
    page.slide(6)
    least = float(page.at("least-shown").text)
    expected = (regressor.category_counts_[0] >= least).sum()
    assert 0 < expected < 30
    assert page.listed == f"{expected} tokens"
    assert len(page.data("points")["x"]) == expected
    # Looking for one that is left out brings all back.
    page.type("town 29")
    page.at("search").send_keys(Keys.ENTER)
    page.settle()
    assert page.name == "town 29"
    assert page.listed == "30 tokens"


@pytest.mark.parametrize(
    "choice", ["effect", "count", "uncertainty", "height", "coast"]
)
def test_colours(page, choice):
    page.choose_from_list("color", choice)
    values = page.data("points")["value"]
    assert len(set(values)) > 1
    assert page.at("legend").text
    if choice == "coast":
        chips = page.all("[data-at=legend] .chip")
        assert [chip.text for chip in chips[:3]] == ["sea", "inland", "none"]
        chips[1].click()
        assert page.listed == "10 tokens selected"


def test_every_map_has_its_axes(page):
    page.choose_from_list("map-choice", "vectors (PCA)")
    assert len(page.data("points")["x"]) == 30
    assert len(page.data("ellipses")["x"]) > 0


def test_ellipses_are_drawn_of_what_is_labelled_and_chosen(page):
    ellipses, labels = page.data("ellipses"), page.data("labels")
    assert 0 < len(labels["text"]) <= len(ellipses["x"])
    assert max(ellipses["alpha"]) == 0.3  # the chosen one


def test_the_prior_is_drawn(page, towns):
    assert len(page.data("prior")["x"]) == 1
    assert len(page.data("unknown")["x"]) == 1
    assert "unknown token" in page.at("cat-note").text


def test_copy_and_csv_hold_the_selection(page, towns):
    page.browser.execute_script(
        "const kept = []; const old = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { kept.push(blob); return old(blob); };"
        "window.keptBlobs = kept; return null"
    )
    page.at("save").click()
    text = page.browser.execute_async_script(
        "const done = arguments[0]; window.keptBlobs[0].text().then(done)"
    )
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 30
    assert [*rows[0]] == [
        *("token", "rows", "effect", "std", "low", "high", "height", "coast")
    ]
    best = max(rows, key=lambda row: float(row["effect"]))
    assert rows[0] == best
    page.at("copy").click()
    page.wait(lambda: page.at("copy").text == "Copied")


def test_headings_sort_the_list(page):
    page.find("[data-at=list] th:nth-child(1) button").click()
    assert page.names == sorted(page.names)
    page.find("[data-at=list] th:nth-child(2) button").click()
    counts = [shown_number(c.text) for c in page.all("[data-at=list] td:nth-child(2)")]
    assert counts == sorted(counts, reverse=True)
    heading = page.find("[data-at=list] th:nth-child(2)")
    assert heading.get_attribute("aria-sort") == "descending"


def ranges(page):
    return page.browser.execute_script(
        "const named = (doc) => doc.get_model_by_name('map');"
        "const f = Bokeh.documents.map(named).find(Boolean);"
        "return [f.x_range.start, f.x_range.end]"
    )


def test_pan_zoom_and_keys_move_the_map(page):
    start, end = ranges(page)
    places = page.places()
    place = np.mean(places, axis=0)
    page.drag([place, place + [40, 0], place + [60, 0]])
    moved = ranges(page)
    assert moved[0] < start
    assert moved[1] - moved[0] == pytest.approx(end - start)
    page.at("all").click()
    page.settle()
    assert ranges(page) == pytest.approx([start, end])
    page.at("in").click()
    inner = ranges(page)
    assert inner[1] - inner[0] == pytest.approx(0.6 * (end - start))
    drawing = page.at("map")
    drawing.send_keys(Keys.ARROW_RIGHT)
    assert ranges(page)[0] > inner[0]
    drawing.send_keys("-")
    drawing.send_keys("0")
    page.settle()
    assert ranges(page) == pytest.approx([start, end])


def test_the_wheel_zooms(page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    start, end = ranges(page)
    origin = ScrollOrigin.from_element(page.at("map"))
    ActionChains(page.browser).scroll_from_origin(origin, 0, -200).perform()
    page.settle()
    inner = ranges(page)
    assert inner[1] - inner[0] < end - start


def test_arrow_keys_go_from_token_to_token(page):
    drawing = page.at("caterpillar")
    drawing.send_keys(Keys.ARROW_UP * 30)
    page.settle()
    assert page.name == page.names[0]  # the greatest effect
    drawing.send_keys(Keys.ARROW_DOWN)
    page.settle()
    assert page.name == page.names[1]
    said = page.browser.find_element(By.ID, "said").get_attribute("textContent")
    assert page.name in said


def test_tabs_by_keyboard(page):
    tab = page.browser.find_element(By.ID, "tab-0")
    tab.send_keys(Keys.ARROW_LEFT)
    last = page.browser.find_element(By.CSS_SELECTOR, "[role=tab]:last-child")
    assert last.get_attribute("aria-selected") == "true"
    assert last == page.browser.switch_to.active_element


def test_the_fit_at_a_glance(page, towns):
    regressor, X, y = towns
    last = len(page.browser.find_elements(By.CSS_SELECTOR, "[role=tab]")) - 1
    page.open(last)
    text = page.at("tiles").text
    assert f"{regressor.score(X, y):.4f}"[:5] in text
    assert f"{regressor.noise_scale_:.3g}" in text
    assert len(page.data("losses")["loss"]) == 15
    assert page.data("losses")["loss"] == pytest.approx(regressor.loss_curve_)
    rows = [row.text for row in page.all("[data-at=columns] tbody tr")]
    assert rows[0].split()[:2] == ["x0", "30"]
    changed = [row.text for row in page.all("[data-at=parameters] .changed")]
    assert [row.split()[0] for row in changed] == ["epochs", "random_state"]
    assert "skembed" in page.at("versions").text


def test_dark_and_light_follow_the_reader(page):
    browser = page.browser

    def set_system(value):
        features = [{"name": "prefers-color-scheme", "value": value}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def look():
        return browser.execute_script(
            "const f = Bokeh.documents.map((d) => d.get_model_by_name('map'))"
            ".find(Boolean);"
            "return [document.documentElement.dataset.theme,"
            " getComputedStyle(document.body).backgroundColor,"
            " f.below[0].major_label_text_color]"
        )

    try:
        set_system("dark")
        page.settle()
        dark = look()
        set_system("light")
        page.settle()
        light = look()
        assert (dark[0], light[0]) == ("dark", "light")
        assert dark[1] != light[1]
        assert dark[2] != light[2]
        button = browser.find_element(By.ID, "theme")
        button.click()
        button.click()
        assert look() == dark
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


CONTRASTS = """
const out = [];
const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = (node) => {
  for (let n = node; n; n = n.parentElement) {
    const c = rgb(getComputedStyle(n).backgroundColor);
    if (c.length === 3 || c[3] > 0.99) return c;
  }
  return [255, 255, 255];
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  if (!walk.currentNode.data.trim() || !node.checkVisibility()) continue;
  if (node.closest("script, style, noscript, .hidden, :disabled")) continue;
  const [a, b] = [rgb(getComputedStyle(node).color), behind(node)].map(light);
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) out.push([walk.currentNode.data.trim().slice(0, 40), ratio]);
}
return out;
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_has_the_contrast_of_wcag_aa(page, theme):
    page.browser.execute_script(
        "document.documentElement.dataset.theme = arguments[0]", theme
    )
    page.settle()
    assert page.browser.execute_script(CONTRASTS) == []


def test_everything_that_works_has_a_name(page):
    nameless = page.browser.execute_script("""
        const named = (n) => (n.getAttribute("aria-label") || n.textContent.trim() ||
          (n.labels && n.labels.length && n.labels[0].textContent.trim()));
        return [...document.querySelectorAll("button, input, select, [role]")]
          .filter((n) => n.checkVisibility() && !n.closest(".bk-Figure, [class*=bk-]"))
          .filter((n) => !["listbox", "presentation", "status"].includes(
            n.getAttribute("role")))
          .filter((n) => !named(n)).map((n) => n.outerHTML.slice(0, 120));
    """)
    assert nameless == []
    ids = page.browser.execute_script(
        "return [...document.querySelectorAll('[id]')].map((n) => n.id)"
    )
    assert len(ids) == len(set(ids))


def test_hostile_names_are_text(browser, written, hostile_report):
    page = Page(browser, written("hostile", hostile_report))
    assert page.listed == f"{len(HOSTILE)} tokens"
    assert (
        browser.execute_script(
            "return document.querySelectorAll('main img, main b b, main i i').length"
        )
        == 0
    )
    title = browser.find_element(By.ID, "title").text
    assert title == "</title></script><script>alert('title')</script>"
    names = page.browser.execute_script(
        "return [...document.querySelectorAll('#panel-0 [data-at=list] tbody button')]"
        ".map((b) => b.textContent)"
    )
    assert "</script><script>alert(1)</script>" in names
    assert "<img src=x onerror=alert(2)>" in names
    for query in ("onerror", "fox", "script", "שלום"):
        page.type(query)
        page.at("search").send_keys(Keys.ENTER)
        page.settle()
        assert query in page.name.lower()
    page.choose_from_list("color", "<i>kind</i>")
    assert "</style>0" in page.at("legend").text
    assert page.errors == []


def test_two_tokens(browser, written):
    X, y = [["yes"], ["no"]] * 30, [1.0, 0.0] * 30
    regressor = EmbeddingRegressor(epochs=5, random_state=0).fit(X, y)
    page = Page(browser, written("two", TokenReport(regressor)))
    assert page.listed == "2 tokens"
    assert len(page.near) == 1
    assert len(page.data("points")["x"]) == 2
    assert page.errors == []


def test_points_without_posterior(browser, written, towns):
    _, X, y = towns
    regressor = EmbeddingRegressor(epochs=2, prior=None, random_state=0).fit(X, y)
    page = Page(browser, written("points", TokenReport(regressor, X=X, y=y)))
    assert "no posterior" in page.at("cat-note").text
    assert "uncertainty" not in page.at("color").text
    assert page.errors == []


def test_in_a_frame_of_another_page(browser, tmp_path, town_report):
    page = f"<!doctype html><html data-theme='dark'>{town_report.html_snippet()}</html>"
    path = tmp_path / "outer.html"
    path.write_text(page, encoding="utf-8")
    browser.get_log("browser")
    browser.get(path.as_uri())
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    try:
        inner = Page.__new__(Page)
        inner.browser, inner.tab = browser, 0
        ready = "return document.getElementById('panel-0')?.dataset.ready"
        inner.wait(lambda: browser.execute_script(ready) == "true")
        inner.settle()
        assert inner.listed == "30 tokens"
        theme = browser.execute_script("return document.documentElement.dataset.theme")
        assert theme == "dark"
        assert inner.errors == []
    finally:
        browser.switch_to.default_content()

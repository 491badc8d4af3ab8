"""How quickly a TokenReport opens and moves in a browser, and how large its file is.

    python benchmarks/token_report.py [--tokens 5000 50000 500000] [--out FILE]

Opens reports in headless Chromium (``chromium`` and ``chromedriver`` on the path, and
selenium), and beside them plain scatter plots of 50,000 points by Bokeh and by Plotly
(``pip install plotly``), if that is there. Frames are drawn by the processor.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from report import header, render
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains

from skembed import EmbeddingRegressor, TokenReport

N_POINTS = 50_000


def fitted(n_tokens, seed=0):
    """Return a regressor of three columns, one of `n_tokens` tokens, and its rows."""
    rng = np.random.default_rng(seed)
    n = 3 * n_tokens + 1_000
    some = np.minimum(rng.zipf(1.4, n - n_tokens) - 1, n_tokens - 1)
    codes = np.concatenate([np.arange(n_tokens), some])
    group = rng.integers(0, 6, n)
    X = np.empty((n, 3), dtype=object)
    X[:, 0] = [f"token {code:06d}" for code in codes]
    X[:, 1] = [f"group {code}" for code in group]
    X[:, 2] = rng.normal(size=n)
    effect = rng.normal(0, 4, n_tokens)
    y = effect[codes] * (1 + 0.1 * group) + group + X[:, 2].astype(float)
    y += rng.normal(0, 2, n)
    return EmbeddingRegressor(epochs=3, random_state=seed).fit(X, y), X, y


def browser():
    """Start Chromium, with frames that are drawn without a graphics card."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument("--enable-unsafe-swiftshader")
    options.add_argument("--window-size=1440,1300")
    return webdriver.Chrome(
        options=options, service=Service(shutil.which("chromedriver"))
    )


READY = {
    "report": "return document.getElementById('panel-0')?.dataset.ready === 'true'",
    "bokeh": "return Boolean(window.Bokeh?.documents[0]?.is_idle)",
    "plotly": "return Boolean(document.querySelector('.gl-canvas, .main-svg'))",
}
# Two frames later all that was asked for is on the screen.
DRAWN = """
const done = arguments[0];
requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
"""
COUNT = """
window.frames_ = [];
(function next() { frames_.push(performance.now()); requestAnimationFrame(next); })();
"""


def measured(path, kind, moves=120):
    """Return seconds until a page is drawn, and frames a second while it is dragged."""
    driver = browser()
    try:
        driver.get(path.as_uri())
        while not driver.execute_script(READY[kind]):
            time.sleep(0.02)
        opened = driver.execute_async_script(DRAWN) / 1000
        time.sleep(1.0)
        driver.execute_script(COUNT)
        actions = ActionChains(driver, duration=16)
        actions.w3c_actions.pointer_action.move_to_location(500, 450)
        actions.click_and_hold()
        for step in range(moves):
            actions.move_by_offset(3 if step // 30 % 2 else -3, step // 20 % 2)
        before = driver.execute_script("return frames_.length")
        actions.release().perform()
        frames = np.diff(driver.execute_script("return frames_")[before:])
        return opened, 1000 / frames.mean(), np.percentile(frames, 95)
    finally:
        driver.quit()


def points(seed=0):
    """Return positions, effects, sizes and names of points."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, N_POINTS)).astype(np.float32)
    effect = (x + rng.normal(size=N_POINTS)).astype(np.float32)
    size = rng.uniform(3, 12, N_POINTS).astype(np.float32)
    return x, y, effect, size, [f"token {k:06d}" for k in range(N_POINTS)]


def by_bokeh(backend):
    """Return a page of Bokeh's scatter plot; on "canvas" as the report has it."""
    from bokeh.embed import file_html
    from bokeh.models import ColumnDataSource, LinearColorMapper
    from bokeh.plotting import figure
    from bokeh.resources import Resources

    x, y, effect, size, names = points()
    source = ColumnDataSource({"x": x, "y": y, "e": effect, "s": size, "n": names})
    drawn = figure(
        width=1000,
        height=700,
        output_backend=backend,
        tools="pan,wheel_zoom,lasso_select,hover",
        active_drag="pan",
        lod_factor=50,
    )
    color = {"field": "e", "transform": LinearColorMapper("Viridis256")}
    drawn.scatter("x", "y", size="s", source=source, fill_color=color, line_color=None)
    return file_html(drawn, Resources(mode="inline"), "points")


def by_plotly():
    """Return a page of Plotly's scatter plot, which WebGL draws."""
    import plotly.graph_objects as go

    x, y, effect, size, names = points()
    marker = {"size": size, "color": effect, "colorscale": "Viridis"}
    made = go.Figure(go.Scattergl(x=x, y=y, mode="markers", text=names, marker=marker))
    made.update_layout(dragmode="pan", width=1000, height=700)
    return made.to_html(include_plotlyjs=True)


def row(name, path, kind, made=None, moves=120):
    """Measure a page, and return its row of the table."""
    opened, rate, slow = measured(path, kind, moves)
    return [
        name,
        "" if made is None else f"{made:.0f} s",
        f"{path.stat().st_size / 1e6:.1f} MB",
        f"{opened:.1f} s",
        f"{rate:.0f}",
        f"{slow:.0f} ms",
    ]


def main():
    """Measure reports and scatter plots, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    sizes = [5_000, 50_000, 500_000]
    parser.add_argument("--tokens", type=int, nargs="*", default=sizes)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        for n_tokens in args.tokens:
            regressor, X, y = fitted(n_tokens)
            start = time.monotonic()
            report = TokenReport(regressor, X=X, y=y, feature=0)
            report.write_html(path)
            made = time.monotonic() - start
            rows.append(row(f"report of {n_tokens:,} tokens", path, "report", made))
            print(rows[-1], flush=True)
        scatters = {
            "Bokeh, canvas": ("bokeh", lambda: by_bokeh("canvas")),
            "Bokeh, WebGL": ("bokeh", lambda: by_bokeh("webgl")),
            "Plotly, WebGL": ("plotly", by_plotly),
        }
        for name, (kind, make) in scatters.items():
            try:
                path.write_text(make(), encoding="utf-8")
            except ImportError as error:
                print(f"{name} is left out: {error}")
                continue
            # WebGL without a graphics card takes up to half a second a frame.
            moves = 30 if "WebGL" in name else 120
            rows.append(row(f"{N_POINTS:,} points by {name}", path, kind, moves=moves))
            print(rows[-1], flush=True)
    headings = ["page", "made in", "file", "opens in", "frames a second", "95 % within"]
    style = "rst" if args.out and args.out.suffix == ".rst" else "md"
    packages = ["skembed", "bokeh", "plotly", "numpy"]
    text = f"{header(packages)}\n\n{render(headings, rows, style)}\n"
    print(text)
    if args.out:
        args.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

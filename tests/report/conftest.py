"""A real browser for the tests of the report, and the reports that they look at."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from hostile import HOSTILE

pytest.importorskip("bokeh", reason="the report draws with Bokeh")

from skembed import EmbeddingClassifier, EmbeddingRegressor, TokenReport

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    *("chrome", "chrome.exe"),
)


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window; the tests skip where there is none."""
    selenium = pytest.importorskip("selenium", reason="selenium drives the browser")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if found is None or driver is None:
        pytest.skip("no Chromium with its chromedriver on the path")
    from selenium.webdriver.chrome.service import Service

    options = selenium.webdriver.ChromeOptions()
    options.binary_location = found
    # Chromium's own sandbox needs rights that containers do not have.
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1440,1300")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = selenium.webdriver.Chrome(options=options, service=Service(driver))
    yield made
    made.quit()


@pytest.fixture(scope="session")
def towns():
    """A table of 30 towns in three groups, and its outcome: a regressor fitted on it.

    The counts fall; the last town is seen once.
    """
    rng = np.random.default_rng(1)
    counts = np.maximum(200 // (1 + np.arange(30)), 1)
    codes = np.repeat(np.arange(30), counts)
    X = np.empty((len(codes), 3), dtype=object)
    X[:, 0] = [f"town {code:02d}" for code in codes]
    X[:, 1] = rng.choice(["red", "green", "blue"], len(codes))
    X[:, 2] = rng.normal(size=len(codes))
    effect = np.linspace(-10, 10, 30)[rng.permutation(30)]
    y = effect[codes] * (1 + 0.3 * (X[:, 1] == "red")) + X[:, 2].astype(float)
    y = y + rng.normal(size=len(codes))
    regressor = EmbeddingRegressor(epochs=15, random_state=0).fit(X, y)
    return regressor, X, y


@pytest.fixture(scope="session")
def town_report(towns):
    regressor, X, y = towns
    return TokenReport(
        regressor,
        X=X,
        y=y,
        title="Towns & <colours>",
        metadata={
            "x0": {
                "height": np.arange(30.0),
                "coast": {
                    f"town {k:02d}": "sea" if k % 3 else "inland" for k in range(29)
                },
            }
        },
    )


@pytest.fixture(scope="session")
def hostile_report():
    """A report whose tokens, labels, metadata, title and classes want to get out."""
    X = np.array(HOSTILE * 6, dtype=object)[:, None]
    y = np.array(["</script>", "<b>bold</b>"] * (len(X) // 2), dtype=object)
    classifier = EmbeddingClassifier(epochs=3, random_state=0).fit(X, y)
    return TokenReport(
        classifier,
        X=X,
        y=y,
        title="</title></script><script>alert('title')</script>",
        metadata={"<i>kind</i>": [f"</style>{k % 3}" for k in range(len(HOSTILE))]},
    )


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Write a report once, and return the address of its file."""
    folder = tmp_path_factory.mktemp("reports")
    done = {}

    def write(name, report):
        if name not in done:
            done[name] = report.write_html(folder / f"{name}.html")
        return Path(done[name]).as_uri()

    return write

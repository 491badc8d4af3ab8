"""Make the pictures and the printed lines of the front page (and of the README).

Run from the root of the repository: ``python docs/make_front.py``. The picture of the
report is taken by headless Chromium (``chromium`` and ``chromedriver`` on the path, and
selenium). The report itself is made when the pages are built, by ``conf.py``.
"""

import shutil
import tempfile
import time
from pathlib import Path

import matplotlib

matplotlib.use("agg")

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skembed import (
    EmbeddingDisplay,
    EmbeddingRegressor,
    PredictionDisplay,
    TokenReport,
    TokenSimilarity,
)
from skembed.datasets import load_flights

IMAGES = Path(__file__).parent / "images"


def main():
    flights = load_flights(as_frame=True)
    city = flights.airports["city"].to_dict()
    X_train, X_test, y_train, y_test = train_test_split(
        flights.data, flights.target, random_state=0
    )
    regressor = EmbeddingRegressor(random_state=0).fit(X_train, y_train)
    similarity = TokenSimilarity(
        FrozenEstimator(regressor), feature="dest", metric="outcome", random_state=0
    ).fit(X_train, y_train)

    lines = [f"held-out R2: {regressor.score(X_test, y_test):.3f}"]
    for dest in ("SFO", "MIA", "BOS"):
        near = [city[other] for other, _ in similarity.most_similar(dest, n=3)]
        lines.append(f"near {city[dest]}: {', '.join(near)}")
    (IMAGES / "front.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))

    display = EmbeddingDisplay.from_estimator(
        regressor,
        feature="dest",
        labels=city,
        effects=flights.airports["lon"].to_dict(),
        effect_name="longitude (not known to the model)",
    )
    save(display, "flights_map.png")
    save(PredictionDisplay.from_estimator(regressor, X_test, y_test), "flights_fit.png")
    take_picture(report_of(regressor, X_train, y_train, flights))


def report_of(regressor, X, y, flights):
    """Return the report of the destinations."""
    airports = flights.airports
    return TokenReport(
        regressor,
        X=X,
        y=y,
        feature="dest",
        labels=airports["city"].to_dict(),
        metadata={
            "longitude": airports["lon"].to_dict(),
            "latitude": airports["lat"].to_dict(),
        },
        title="Minutes in the air out of New York",
        verbose=False,
    )


def write_report(path):
    """Fit and write the report of the front page: by few epochs, which are enough."""
    flights = load_flights(as_frame=True)
    X, y = flights.data.drop(columns="tailnum"), flights.target
    X_train, _, y_train, _ = train_test_split(X, y, random_state=0)
    regressor = EmbeddingRegressor(epochs=10, random_state=0).fit(X_train, y_train)
    report_of(regressor, X_train, y_train, flights).write_html(path)


def take_picture(report):
    """Take a picture of the report, with San Francisco chosen."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("headless=new", "no-sandbox", "window-size=1280,1290"):
        options.add_argument(f"--{argument}")
    service = Service(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    with tempfile.TemporaryDirectory() as folder:
        path = report.write_html(Path(folder) / "report.html")
        driver.get(path.as_uri())
        time.sleep(3)
        driver.find_element(By.CSS_SELECTOR, "[data-at=search]").send_keys("San F\n")
        time.sleep(1)
        driver.save_screenshot(str(IMAGES / "report.png"))
    driver.quit()


def save(display, name):
    display.figure_.savefig(IMAGES / name, dpi=100, bbox_inches="tight")


if __name__ == "__main__":
    main()

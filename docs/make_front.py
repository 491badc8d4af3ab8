"""Make the pictures and the printed lines of the front page (and of the README).

Run from the root of the repository: ``python docs/make_front.py``.
"""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from skembed import (
    EmbeddingDisplay,
    EmbeddingRegressor,
    PredictionDisplay,
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


def save(display, name):
    display.figure_.savefig(IMAGES / name, dpi=100, bbox_inches="tight")


if __name__ == "__main__":
    main()

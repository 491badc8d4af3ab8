"""The main job on real data: ``python -m skembed.demo [PICTURE]``.

Learns vectors of airlines, airports and aircraft from the minutes that flights out of
New York spent in the air, prints the score on held-out flights and the nearest
destinations of some, and draws the map that the vectors make.
"""

import os
import sys

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from . import EmbeddingDisplay, EmbeddingRegressor, TokenSimilarity
from .datasets import load_flights


def main(picture="flights_map.png"):
    """Fit, print and draw.

    Parameters
    ----------
    picture : str or path, default="flights_map.png"
        Where the map is written to.

    Returns
    -------
    score : float
        R2 of the held-out flights.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own messages
    flights = load_flights()
    city = {code: airport.city for code, airport in flights.airports.items()}
    X_train, X_test, y_train, y_test = train_test_split(
        flights.data, flights.target, random_state=0
    )

    regressor = EmbeddingRegressor(verbose=1, random_state=0).fit(X_train, y_train)
    score = regressor.score(X_test, y_test)
    print(f"\nR2 of {len(y_test)} held-out flights: {score:.3f}\n")

    dest = flights.feature_names.index("dest")
    similarity = TokenSimilarity(
        FrozenEstimator(regressor), feature=dest, metric="outcome", random_state=0
    )
    similarity.fit(X_train, y_train)
    for token in ("SFO", "MIA", "BOS", "DEN"):
        near = similarity.most_similar(token, n=4)
        names = ", ".join(f"{city[t]} ({minutes:.0f} min)" for t, minutes in near)
        print(f"nearest to {city[token]}: {names}")

    display = EmbeddingDisplay.from_estimator(
        regressor,
        feature=dest,
        labels=city,
        effects={code: airport.lon for code, airport in flights.airports.items()},
        effect_name="longitude (not known to the model)",
    )
    display.figure_.savefig(picture, dpi=100, bbox_inches="tight")
    print(f"\na map of the destinations, by their vectors: {picture}")
    return score


if __name__ == "__main__":
    main(*sys.argv[1:2])

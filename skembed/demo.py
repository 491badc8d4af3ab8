"""A demo on real data: ``python -m skembed.demo [PICTURE]``.

It learns vectors of airlines, airports and aircraft from the minutes that flights out
of New York spent in the air. It prints the score on held-out flights and the nearest
destinations of four airports, and draws a map of the destinations by their vectors.
"""

import os
import sys
from pathlib import Path

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from . import EmbeddingDisplay, EmbeddingRegressor, TokenSimilarity
from ._files import whole_file
from .datasets import load_flights


def main(picture="flights_map.png"):
    """Fit, print and draw.

    Parameters
    ----------
    picture : str or path, default="flights_map.png"
        Where the map is written to; the ending says in which format, none is PNG.

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
    picture = Path(picture) if Path(picture).suffix else Path(f"{picture}.png")
    with whole_file(picture) as file:
        display.figure_.savefig(
            file, format=picture.suffix[1:], dpi=100, bbox_inches="tight"
        )
    print(f"\na map of the destinations, by their vectors: {picture}")
    return score


if __name__ == "__main__":
    main(*sys.argv[1:2])

"""A demo on real data: ``python -m skembed.demo [PICTURE]``.

It learns vectors of airlines, airports and aircraft from the minutes that flights out
of New York spent in the air. It prints the score on held-out flights and the nearest
destinations of four airports, and draws a map of the destinations by their vectors.
Beside the picture it writes a report of all columns for the browser, where Bokeh is.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split

from . import EmbeddingDisplay, EmbeddingRegressor, TokenReport, TokenSimilarity
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
    data = flights.data
    if find_spec("pandas") is not None:  # then the report names the columns
        data = load_flights(as_frame=True).data
    X_train, X_test, y_train, y_test = train_test_split(
        data, flights.target, random_state=0
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
    write_report(picture.with_suffix(".html"), regressor, X_train, y_train, flights)
    return score


def write_report(path, regressor, X, y, flights):
    """Write a report of the flights, or say what is missing for one."""
    places = flights.airports.items()
    try:
        report = TokenReport(
            regressor,
            X=X,
            y=y,
            labels={code: place.city for code, place in places},
            metadata={
                flights.feature_names.index("dest"): {
                    "longitude": {code: place.lon for code, place in places},
                    "latitude": {code: place.lat for code, place in places},
                }
            },
            title="Minutes in the air out of New York",
        )
    except ImportError as error:
        print(f"no report for the browser: {error}")
        return
    print(f"a report to open in the browser: {report.write_html(path)}")


if __name__ == "__main__":
    main(*sys.argv[1:2])

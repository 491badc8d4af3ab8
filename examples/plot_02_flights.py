"""
Flights: a map that nobody drew
===============================

Here are 30,000 of the flights that left New York in 2013. For each we know the airline,
the airport it left from, the destination, the aircraft, the month and the hour, and how
many minutes it was in the air. The distance is not in the table, nor is anything else
about where places are. We predict the minutes, and then look at what was learned about
the destinations.
"""

# %%
# The main job
# ------------
# Columns of text and whole numbers are taken as tokens, columns of floating point
# numbers as numbers; no column has to be prepared.

from sklearn.model_selection import train_test_split

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    flights.data, flights.target, random_state=0
)
flights.data.head()

# %%
# Ten epochs are enough for a page that has to build quickly.

regressor = EmbeddingRegressor(epochs=10, random_state=0).fit(X_train, y_train)
print(f"held-out R2 {regressor.score(X_test, y_test):.3f}")
print(f"noise {regressor.noise_scale_:.1f} minutes")

# %%
# Every prediction comes with a standard deviation. Nine of ten held-out flights should
# lie within the 90 % intervals; the legend counts them.

from skembed import PredictionDisplay

display = PredictionDisplay.from_estimator(regressor, X_test, y_test)

# %%
# The map
# -------
# Here are the vectors of the destinations, projected to the two directions in which
# they differ most. The colour is the longitude of the airport, *which the model has
# never seen*: from air times, months and airlines alone, the west has come to lie apart
# from the east, and Texas and the Caribbean are each with their own. Ellipses show how
# far the data leave a place open; places with few flights have wide ones.

from skembed import EmbeddingDisplay

city = flights.airports["city"].to_dict()
display = EmbeddingDisplay.from_estimator(
    regressor,
    feature="dest",
    labels=city,
    effects=flights.airports["lon"].to_dict(),
    effect_name="longitude (not known to the model)",
)

# %%
# Which airlines act alike
# ------------------------
# Distance can also be measured in what is predicted: by how many minutes would the
# prediction change if one airline stood in for another on the same flight?

from skembed import SimilarityDisplay

display = SimilarityDisplay.from_estimator(
    regressor, X_train, feature="carrier", metric="outcome"
)

# %%
# Nearest destinations
# --------------------

from sklearn.frozen import FrozenEstimator

from skembed import TokenSimilarity

similarity = TokenSimilarity(
    FrozenEstimator(regressor), feature="dest", metric="outcome", random_state=0
).fit(X_train, y_train)
for dest in ("SFO", "MIA", "BOS"):
    near = [
        f"{city[d]} ({minutes:.0f} min)"
        for d, minutes in similarity.most_similar(dest, n=4)
    ]
    print(f"{city[dest]}: {', '.join(near)}")

# sphinx_gallery_thumbnail_number = 2

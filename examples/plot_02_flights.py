"""
Flights: a map learned from flight times
========================================

The data are 30,000 of the flights that left New York in 2013. For each flight we know
the airline, the airport of departure, the destination, the aircraft, the month, the
hour, and the minutes in the air. Neither the distance nor the location of any airport
is part of the data. We predict the minutes, and then look at the vectors that were
learned for the destinations.
"""

# %%
# Fit and score
# -------------
# Columns of text and of whole numbers are treated as tokens, floating point columns as
# numbers. No column needs preprocessing.

from sklearn.model_selection import train_test_split

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    flights.data, flights.target, random_state=0
)
flights.data.head()

# %%
# Ten epochs are enough here, and let this page build quickly.

regressor = EmbeddingRegressor(epochs=10, random_state=0).fit(X_train, y_train)
print(f"held-out R2 {regressor.score(X_test, y_test):.3f}")
print(f"noise {regressor.noise_scale_:.1f} minutes")

# %%
# Every prediction comes with a standard deviation. Nine of ten held-out flights should
# lie within the 90 % intervals; the legend gives their share.

from skembed import PredictionDisplay

display = PredictionDisplay.from_estimator(regressor, X_test, y_test)

# %%
# The map
# -------
# The plot shows the vectors of the destinations, projected onto the two directions in
# which they differ most. The colour is the longitude of the airport, *which the model
# has never seen*. From air times, months and airlines alone, the west lies apart from
# the east, and Texas and the Caribbean each form a group. The ellipses show the
# posterior uncertainty; they are large for destinations with few flights.

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
# Which columns matter
# --------------------
# Nearly all of the variance of the prediction is due to the destination. The month,
# with its winds, and the airline change it by some minutes.

from skembed import FeatureImportanceDisplay

display = FeatureImportanceDisplay.from_estimator(regressor)

# %%
# Which airlines act alike
# ------------------------
# Distance can also be measured in the predictions: by how many minutes would the
# prediction change if another airline operated the same flight?

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

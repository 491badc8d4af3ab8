"""
Two reports: before and after new rows
======================================

A report shows an estimator as it was when the report was made. So two reports show what
new rows have changed. Here a model has seen 3 flights to Denver, and learns from 300
more by `fold_in`.
"""

# %%
# Before
# ------

import numpy as np

from skembed import EmbeddingRegressor, TokenReport
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
columns = ["carrier", "origin", "dest", "month"]
X, y = flights.data[columns], flights.target
to_denver = np.flatnonzero(X["dest"] == "DEN")
others = np.flatnonzero(X["dest"] != "DEN")
first = np.sort(np.concatenate([others, to_denver[:3]]))
later = to_denver[3:303]
regressor = EmbeddingRegressor(epochs=6, random_state=0)
regressor.fit(X.iloc[first], y.iloc[first])

city = flights.airports["city"].to_dict()
options = {"feature": "dest", "labels": city, "X": X.iloc[first], "y": y.iloc[first]}
before = TokenReport(regressor, title="Before: 3 flights to Denver", **options)
before

# %%
# Search for Denver: its interval is wide, its ellipse is large, and its effect is
# shrunken towards the mean of all destinations.
#
# After
# -----
# Everything but the vectors of the tokens in the new rows stays as it is. So the axes
# mean the same in both reports, and what has moved has learned.

regressor.fold_in(X.iloc[later], y.iloc[later])
after = TokenReport(regressor, title="After 300 more", **options)
after

# %%
# The same in numbers
# -------------------
# The predicted minutes with Denver as the destination, and how sure they are:

row = X.iloc[to_denver[:1]]
for name, rows in {
    "all flights to Denver": to_denver,
    "the first 3": to_denver[:3],
}.items():
    print(f"{name}: {y.iloc[rows].mean():.0f} minutes on average")
mean = regressor.predict(row)[0]
std = regressor.predict_std(row, include_noise=False)[0]
print(f"predicted for one of them: {mean:.0f}, with a standard deviation of {std:.1f}")

# sphinx_gallery_thumbnail_path = 'images/report.png'

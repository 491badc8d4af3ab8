"""
New tokens without a new fit
============================

A new destination appears after the model was trained. `fold_in` learns its vector from
a few flights, while everything else stays as it is.
"""

# %%
# The model has never seen Denver or San Diego.

import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X, y = flights.data.drop(columns="tailnum"), flights.target
new = X["dest"].isin(["DEN", "SAN"])
regressor = EmbeddingRegressor(epochs=6, random_state=0).fit(X[~new], y[~new])

X_new, y_new = X[new], y[new]
later = np.arange(len(X_new)) >= 500  # what we test on


def report(name):
    mean, std = regressor.predict(X_new[later], return_std=True)
    error = np.sqrt(np.mean((mean - y_new[later]) ** 2))
    rows.append({"flights seen": name, "error (min)": error, "std (min)": std.mean()})


# %%
# Before the first flight the new destinations have the prior as their distribution: the
# error is large, and so is the standard deviation. Then we fold in 5, 20, 100 and 500
# flights.

rows = []
report(0)
seen = 0
for upto in (5, 20, 100, 500):
    regressor.fold_in(X_new[seen:upto], y_new[seen:upto])
    seen = upto
    report(upto)
table = pd.DataFrame(rows).round(1)
print(table.to_string(index=False))

# %%
# The standard deviation falls with the error, but stays below it. It includes the
# uncertainty about the vectors, but not that the layers were trained without these
# destinations.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
names = table["flights seen"].astype(str)
ax.semilogy(names, table["error (min)"], "o-", label="root mean squared error")
ax.semilogy(names, table["std (min)"], "s--", label="standard deviation predicted")
ax.set(xlabel="flights seen", ylabel="minutes")
ax.legend(frameon=False)
plt.show()

# %%
# The vectors of the other destinations have not moved, so whatever was built on them
# remains valid. The new ones lie near similar destinations.

from sklearn.frozen import FrozenEstimator

from skembed import TokenSimilarity

similarity = TokenSimilarity(
    FrozenEstimator(regressor), feature="dest", metric="outcome", random_state=0
).fit(X, y)
city = flights.airports["city"].to_dict()
for dest in ("DEN", "SAN"):
    print(city[dest], [city[d] for d, _ in similarity.most_similar(dest, n=3)])

# %%
# `fold_in` updates tokens only. If the whole relation changes over time, use
# `partial_fit`, which also trains the layers. It keeps the first 50,000 rows and trains
# on all of them again; beyond that, the posterior after one chunk is the prior of the
# next.

monthly = EmbeddingRegressor(epochs=6, random_state=0)
for month in (1, 2, 3):
    chunk = X["month"] == month
    monthly.partial_fit(X[chunk], y[chunk])
    following = X["month"] == month + 1
    score = monthly.score(X[following], y[following])
    print(f"after month {month}: R2 of the next month {score:.3f}")

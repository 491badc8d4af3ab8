"""
Counts, quantiles and outliers
==============================

The loss determines what is predicted (the mean, the median or a quantile), and which
likelihood the posterior is based on.
"""

# %%
# Quantiles
# ---------
# The air time is not normal: headwinds and holding patterns make a long right tail.
# Three fits, for the 5 %, 50 % and 95 % quantiles, give an asymmetric interval.
# (:meth:`~skembed.EmbeddingRegressor.predict_interval` gives one from a single fit.
# With three fits each quantile may depend on other columns.)

import numpy as np
from sklearn.model_selection import train_test_split

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X = flights.data[["carrier", "origin", "dest", "month", "hour"]]
X_train, X_test, y_train, y_test = train_test_split(
    X, flights.target, train_size=5000, test_size=5000, random_state=0
)
levels = (0.05, 0.5, 0.95)
low, middle, high = (
    EmbeddingRegressor(loss="quantile", quantile=level, epochs=10, random_state=0)
    .fit(X_train, y_train)
    .predict(X_test)
    for level in levels
)
for level, predicted in zip(levels, (low, middle, high), strict=True):
    print(f"{level:.0%} quantile: {np.mean(y_test <= predicted):.1%} below it")

# %%
# The intervals of the flights to the most frequent destination, ordered by the median:

import matplotlib.pyplot as plt

to = (X_test["dest"] == X_test["dest"].mode()[0]).to_numpy()
order = np.argsort(middle[to])
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
ax.fill_between(np.arange(to.sum()), low[to][order], high[to][order], alpha=0.3)
ax.plot(middle[to][order], label="median, and 5 to 95 %")
ax.plot(y_test.to_numpy()[to][order], ".", markersize=3, color="black", label="flown")
ax.set(xlabel="flight", ylabel="minutes", title=f"to {X_test['dest'].mode()[0]}")
ax.legend(frameon=False, loc="upper left")
plt.show()

# %%
# Counts
# ------
# How many flights does a route have per month? Counts are never negative, and large
# counts scatter more. ``loss="poisson"`` models both, with a log link, so that effects
# multiply.

table = flights.data.groupby(["origin", "dest", "carrier", "month"]).size()
table = table.rename("flights").reset_index()
X, y = table[["origin", "dest", "carrier", "month"]], table["flights"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)

from sklearn.metrics import mean_poisson_deviance

for loss in ("poisson", "squared_error"):
    regressor = EmbeddingRegressor(loss=loss, epochs=20, random_state=0)
    predicted = regressor.fit(X_train, y_train).predict(X_test)
    deviance = mean_poisson_deviance(y_test, np.maximum(predicted, 0.1))
    print(f"{loss:14} held-out deviance {deviance:.2f}, least {predicted.min():.1f}")

# %%
# Outliers
# --------
# One row in fifty has a mistyped outcome, a hundred times too large. It hardly affects
# the absolute error and Huber's loss.

from skembed.datasets import make_token_outcomes

data = make_token_outcomes(4000, 50, return_X_y=False, random_state=0)
y = data.y.copy()
y[::50] *= 100
for loss in ("squared_error", "huber", "absolute_error"):
    regressor = EmbeddingRegressor(loss=loss, epochs=10, random_state=0)
    error = regressor.fit(data.X, y).predict(data.X) - data.mean
    print(f"{loss:15} root mean squared error of the effects {np.std(error):6.2f}")

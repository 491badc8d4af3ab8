"""
Intervals for tomorrow
======================

Shops sell more and more, each at its own pace. A model learns from the first two years
and predicts the third. What does it say of its own errors?
"""

# %%
# Sales by day. Each shop follows its own slow path, a random walk of months.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
n, n_shops, n_months = 9_000, 40, 36
day = np.sort(rng.integers(0, 30 * n_months, n))
shop = rng.integers(0, n_shops, n)
path = np.cumsum(rng.normal(0, 0.25, (n_months, n_shops)), axis=0)
X = pd.DataFrame({"shop": [f"shop {i}" for i in shop], "day": day.astype(float)})
y = 10 + rng.normal(0, 1, n_shops)[shop] + path[day // 30, shop] + rng.normal(0, 0.5, n)
past, future = day < 30 * 24, day >= 30 * 24

# %%
# A random split of the first two years looks well: rows to predict lie between rows
# that were learned.


def share_inside(model, rows, coverage=0.8):
    low, high = model.predict_interval(X[rows], coverage).T
    return np.mean((low <= y[rows]) & (y[rows] <= high))


some = past & (rng.random(n) < 0.8)
model = EmbeddingRegressor(random_state=0).fit(X[some], y[some])
print(
    f"of the same years: {share_inside(model, past & ~some):.0%} inside 80 % intervals"
)

# %%
# The third year is another matter. Standard deviations grow with the distance from the
# last day that was learned, as fast as errors grew in the two years: fits on a part of
# them are judged by the rest.

default = EmbeddingRegressor(random_state=0).fit(X[past], y[past])
print(f"of the next year:  {share_inside(default, future):.0%}")

# %%
# ``validation_rows="last"`` sets the last tenth of the rows apart, predicts it from the
# others, and learns it then. Intervals follow these errors.

last = EmbeddingRegressor(validation_rows="last", random_state=0).fit(X[past], y[past])
print(f"validation_rows='last': {share_inside(last, future):.0%}")

# %%
# Predictions are farther off the farther ahead they are. Once outcomes of the new year
# come in, ``calibrate`` brings intervals up to date, here on every month for the month
# after it. The vectors and predictions stay as they are.

calibrated = EmbeddingRegressor(random_state=0).fit(X[past], y[past])
months = np.arange(18, n_months)
shares = {"default": [], 'validation_rows="last"': [], "calibrated every month": []}
for number in months:
    month, before = day // 30 == number, day // 30 == number - 1
    if number > 24:
        calibrated.calibrate(X[before], y[before])
    for model, found in zip((default, last, calibrated), shares.values(), strict=True):
        found.append(share_inside(model, month))
print(f"calibrated every month: {np.mean(shares['calibrated every month'][7:]):.0%}")

# %%
# Month by month, the first six of them learned from:

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, found in shares.items():
    ax.plot(months, found, marker="o", label=name)
ax.axhline(0.8, color="black", linewidth=1, linestyle="--")
ax.axvline(23.5, color="0.6", linewidth=1)
ax.set(xlabel="month", ylabel="share inside 80 % intervals", ylim=(0, 1.02))
ax.legend(loc="lower left")
plt.show()

"""
Unknown, missing and rare tokens
================================

Real columns have empty cells and many rare tokens, and at prediction they have tokens
that fit has not seen. There is a rule for each of these.
"""

# %%
# The column contains cities with an effect each, some empty cells, and a tail of
# villages with one row each. The empty cells have an effect of their own: outcomes are
# lower where the city was not filled in.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
effect = {"Rome": 3.0, "Oslo": -1.0, "Lima": 1.0, None: -4.0}
tail = {f"village {i}": rng.normal() for i in range(30)}
cities = rng.choice(list(effect), size=600).tolist() + list(tail)
X = pd.DataFrame({"city": cities})
y = np.array([{**effect, **tail}[city] for city in cities])
y += rng.normal(scale=0.5, size=len(y))

regressor = EmbeddingRegressor(epochs=30, random_state=0).fit(X, y)

# %%
# Missing is a token
# ------------------
# None, NaN, NA and NaT are one token, "missing". It has a vector like any other and
# comes last in `categories_`. The empty string is not missing: it is a token, too.

print(regressor.categories_[0][-3:], regressor.category_counts_[0][-3:])
print("missing:", regressor.predict(pd.DataFrame({"city": [None]})).round(1))

# %%
# Unknown is the prior
# --------------------
# A token that fit has not seen gets the prior: a vector of zeros, with the spread of
# the known tokens as its standard deviation. So its prediction is in the middle, and
# its standard deviation is suitably large.

asked = pd.DataFrame({"city": ["Rome", "village 3", "Atlantis"]})
mean, std = regressor.predict(asked, return_std=True)
print(pd.DataFrame({"city": asked.city, "mean": mean.round(2), "std": std.round(2)}))

figure, ax = plt.subplots(figsize=(5, 2.4), layout="constrained")
ax.errorbar(mean, asked["city"], xerr=2 * std, fmt="o", capsize=3)
ax.set(xlabel="predicted outcome, with two standard deviations", ylim=(2.5, -0.5))
plt.show()

# %%
# If an unknown token must be a mistake, ask for an error.

strict = EmbeddingRegressor(handle_unknown="error", epochs=1).fit(X, y)
try:
    strict.predict(asked)
except ValueError as error:
    print(error)

# %%
# Rare tokens can share a vector
# ------------------------------
# Under a prior rare tokens shrink by themselves, so they need not be pooled. Pooling is
# still useful to save memory, or to learn from the many rare tokens what a new one will
# be like. `min_frequency` or `max_categories` pool rare tokens, and unknown tokens join
# them.

pooled = EmbeddingRegressor(min_frequency=5, epochs=30, random_state=0).fit(X, y)
print(len(pooled.infrequent_categories_[0]), "tokens share one vector")
print(pooled.predict(asked).round(2))

# %%
# One token or two?
# -----------------
# Two values are the same token if they are equal in Python: 1, 1.0 and True are one
# token, and "1" is another.

mixed = pd.DataFrame({"x": np.array([1, 1.0, True, "1", "", None, np.nan], object)})
fitted = EmbeddingRegressor(categorical_features="all", epochs=1, random_state=0)
fitted.fit(mixed, np.arange(7.0))
list(
    zip(
        fitted.categories_[0].tolist(), fitted.category_counts_[0].tolist(), strict=True
    )
)

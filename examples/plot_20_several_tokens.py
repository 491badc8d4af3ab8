"""
Several tokens in a cell: what each ingredient does
===================================================

A recipe has several ingredients, and a rating. There are far more combinations than
ingredients, and most of them occur once. As tokens they would say nothing about each
other. `multi_valued_features` says that a cell holds several tokens: each has a vector,
and the cell has their mean.
"""

# %%
# The recipes are made up: every ingredient has an effect, the rating is the mean of the
# effects, and noise.

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
ingredients = np.array(
    "apple basil butter carrot chili cream garlic ginger honey lemon lime mint onion "
    "pepper rice sage thyme tomato vanilla walnut".split()
)
effect = dict(zip(ingredients, rng.normal(0, 1.5, 20), strict=True))
popular = 1.0 / np.arange(1, 21)  # some are in every other recipe, some in few
recipes = [
    rng.choice(
        ingredients, rng.integers(2, 7), replace=False, p=popular / popular.sum()
    )
    for _ in range(3_000)
]
X = pd.DataFrame({"recipe": ["|".join(recipe) for recipe in recipes]})
truth = np.array([np.mean([effect[i] for i in recipe]) for recipe in recipes])
rating = truth + rng.normal(0, 0.5, len(X))
X.head()

# %%
# The same cells as whole tokens and as several.

X_train, X_test, y_train, y_test, _, truth_test = train_test_split(
    X, rating, truth, random_state=0
)
whole = EmbeddingRegressor(epochs=20, random_state=0).fit(X_train, y_train)
several = EmbeddingRegressor(
    epochs=20, random_state=0, multi_valued_features={"recipe": "|"}
).fit(X_train, y_train)
for name, model in {"one token": whole, "several": several}.items():
    error = np.sqrt(np.mean((model.predict(X_test) - truth_test) ** 2))
    print(f"{name:10} {len(model.categories_[0]):5} vectors, error {error:.2f}")

# %%
# What the single ingredients do: predictions for recipes of one, with their 95 %
# intervals. Those of ingredients in few recipes are wider.

import matplotlib.pyplot as plt

names = several.categories_[0]
alone = pd.DataFrame({"recipe": names})
found = several.predict(alone)
spread = several.predict_std(alone, include_noise=False)
true = np.array([effect[name] for name in names])
order = np.argsort(true)
_, ax = plt.subplots(figsize=(6, 5), layout="constrained")
ax.errorbar(
    found[order], np.arange(20), xerr=1.96 * spread[order], fmt="o", label="learned"
)
ax.plot(true[order], np.arange(20), "k|", markersize=12, label="true")
ax.set_yticks(np.arange(20), names[order])
ax.set(xlabel="rating of a recipe of this ingredient alone")
ax.legend()

# %%
# A new combination is no unknown token, and weights say how much of each is in it.

new = pd.DataFrame({"recipe": ["sage|honey", {"sage": 3.0, "honey": 1.0}]})
several.predict(new).round(2)

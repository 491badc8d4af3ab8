"""
Vectors for another model
=========================

Boosted trees are strong on numbers and weak on columns of thousands of tokens.
:class:`~skembed.EmbeddingEncoder` turns columns of tokens into columns of numbers, the
coordinates of their vectors, which the trees can use.
"""

# %%
# In `fit_transform` the vectors of a row's tokens are learned from other rows
# (cross-fitting, as in :class:`~sklearn.preprocessing.TargetEncoder`). Otherwise the
# model that follows would rely on vectors that depend on the row's own outcome. What
# `transform` gives a token lies among what `fit_transform` gave its rows, so the trees
# meet no vectors beyond those that they were trained on.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from skembed import EmbeddingEncoder, EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
tokens = ["carrier", "origin", "dest", "tailnum", "month"]

# %%
# We compare three encoders in front of the same boosted trees. The hour is a number and
# is passed through. (:doc:`The benchmarks <../benchmarks/encoder>` have more data
# sets.)


def encoders(seed):
    learner = EmbeddingRegressor(4, epochs=10)
    vectors = EmbeddingEncoder(
        learner,
        categorical_features=tokens,
        remainder="passthrough",
        random_state=seed,
    )
    folds = KFold(5, shuffle=True, random_state=seed)
    means = TargetEncoder(target_type="continuous", cv=folds)
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return {
        "vectors": vectors,
        "target encoder": make_column_transformer(
            (means, tokens), remainder="passthrough"
        ),
        "ordinal codes": make_column_transformer(
            (codes, tokens), remainder="passthrough"
        ),
    }


# %%
# One split of 4,000 flights says little. About ten of them go to Honolulu, by far the
# longest way, and these trees make no leaf of fewer than 20 rows. What they predict
# for this one token can move R2 by 0.01. So we look at three splits.

scores = pd.DataFrame()
for seed in range(3):
    X_train, X_test, y_train, y_test = train_test_split(
        flights.data,
        flights.target,
        train_size=4000,
        test_size=4000,
        random_state=seed,
    )
    fitted = encoders(seed)
    for name, encoder in fitted.items():
        trees = HistGradientBoostingRegressor(max_iter=50, random_state=0)
        model = make_pipeline(encoder, trees).fit(X_train, y_train)
        scores.loc[name, f"split {seed}"] = model.score(X_test, y_test)
scores["mean"] = scores.mean(axis=1)
scores.round(4)

# %%
# The dots are the splits, the bars their means.

figure, ax = plt.subplots(figsize=(6, 2.4), layout="constrained")
for split in scores.columns[:-1]:
    ax.plot(scores[split], scores.index, "o", color="C0", alpha=0.6)
ax.plot(scores["mean"], scores.index, "|", color="black", markersize=18)
ax.set(xlabel="R2 on held-out flights", ylim=(2.5, -0.5))
plt.show()

# %%
# The encoder returns four columns per column of tokens, and the hour. The vectors are
# rotated (``rotation="principal"``). The first coordinate of a column has the largest
# effect on the outcome, in its units, here minutes; the second has the largest effect
# of the rest. Coordinates with almost no effect are 0. (``output="mean_std"`` also
# returns the standard deviations, so that the trees can see how uncertain each vector
# is.)

vectors = fitted["vectors"].set_output(transform="pandas").transform(X_test)
print(vectors.shape)
vectors.iloc[:3, [0, 1, 2, 3, 8, 9, 10, 11, 20]].round(2)

# %%
# The effects of the columns nearly add up here, so one number per token is almost
# enough. But which number? The target encoder gives a carrier the mean time of its
# flights. That depends most of all on where it flies. The vector gives what the carrier
# adds when origin, destination and everything else are given: a few minutes. The
# spread of both over the held-out flights, in minutes:

means = fitted["target encoder"].transform(X_test)[:, :5]
pd.DataFrame(
    {
        "first coordinate of the vector": vectors.iloc[:, 0:20:4].std().to_numpy(),
        "target encoder": means.std(axis=0),
    },
    index=tokens,
).round(1)

# %%
# Tokens whose effect depends on other columns need more than one number
# (:ref:`sphx_glr_auto_examples_plot_12_interactions.py`).

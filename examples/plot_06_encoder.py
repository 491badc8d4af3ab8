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
# model that follows would rely on vectors that depend on the row's own outcome.

import matplotlib.pyplot as plt
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from skembed import EmbeddingEncoder, EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    flights.data, flights.target, train_size=4000, test_size=4000, random_state=0
)

# %%
# We compare three encoders in front of the same boosted trees. The hour is a number and
# is passed through. (:doc:`The benchmarks <../benchmarks/encoder>` have more data
# sets.)

tokens = ["carrier", "origin", "dest", "tailnum", "month"]
learner = EmbeddingRegressor(4, epochs=10, random_state=0)
ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
encoders = {
    "vectors": EmbeddingEncoder(
        learner, categorical_features=tokens, remainder="passthrough", random_state=0
    ),
    "target encoder": make_column_transformer(
        (TargetEncoder(target_type="continuous"), tokens), remainder="passthrough"
    ),
    "ordinal codes": make_column_transformer(
        (ordinal, tokens), remainder="passthrough"
    ),
}
scores = {}
for name, encoder in encoders.items():
    trees = HistGradientBoostingRegressor(max_iter=50, random_state=0)
    model = make_pipeline(encoder, trees).fit(X_train, y_train)
    scores[name] = model.score(X_test, y_test)
    print(f"{name:15} held-out R2 {scores[name]:.4f}")

figure, ax = plt.subplots(figsize=(5, 2.2), layout="constrained")
ax.plot(list(scores.values()), list(scores), "o")
ax.set(xlabel="held-out R2", ylim=(2.5, -0.5))
plt.show()

# %%
# The encoder returns four columns per column of tokens, and the hour.
# (``output="mean_std"`` also returns the standard deviations, so that the trees can see
# how uncertain each vector is.)

encoder = encoders["vectors"].set_output(transform="pandas")
vectors = encoder.transform(X_test)
print(vectors.shape)
vectors.iloc[:3, [0, 1, 2, 3, 8, 9, 10, 11, 20]].round(2)

# %%
# The vectors are rotated (``rotation="principal"``). The first coordinate of a column
# has the largest effect on the outcome, in its units, here minutes; the second has the
# largest effect of the rest. Coordinates with almost no effect are 0. For these flights
# the effects of the columns nearly add up, so one number per token is almost enough.
# The target encoder gives just that, and is at least as good. Tokens whose effect
# depends on other columns need more
# (:ref:`sphx_glr_auto_examples_plot_12_interactions.py`). The spread of each
# coordinate, one line per column:

vectors.iloc[:, :20].std().to_numpy().reshape(5, 4).round(1)

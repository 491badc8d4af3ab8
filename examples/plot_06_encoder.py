"""
Vectors for another model
=========================

Boosted trees are hard to beat on numbers, and clumsy with thousands of tokens.
:class:`~skembed.EmbeddingEncoder` turns columns of tokens into columns of vectors, so
that each does what it is good at.
"""

# %%
# In `fit_transform` the vectors of a row's tokens are learned from other rows
# (cross-fitting, as in :class:`~sklearn.preprocessing.TargetEncoder`). Otherwise the
# model behind it would trust vectors that have its own outcome in them.

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
# Three encoders in front of the same boosted trees. The hour is a number and passes by.
# (:doc:`The benchmarks <../benchmarks/encoder>` have more tables.)

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
# What comes out of the encoder: four columns for every column of tokens, and the hour.
# (``output="mean_std"`` gives standard deviations as well, so that the trees can see
# which vectors to trust.)

encoder = encoders["vectors"].set_output(transform="pandas")
vectors = encoder.transform(X_test)
print(vectors.shape)
vectors.iloc[:3, [0, 1, 2, 3, 8, 9, 10, 11, 20]].round(2)

# %%
# The vectors have been turned (``rotation="principal"``): the first coordinate of a
# column is what does most to the outcome, in its units, here minutes, the second what
# does most of the rest. Coordinates that carry next to nothing are 0. In these flights
# the effects of the columns nearly add up, so one number a token says almost all, and
# the target encoder, which gives just that, is at least as good. Tokens whose effect
# depends on other columns need more
# (:ref:`sphx_glr_auto_examples_plot_12_interactions.py`). Spread of each coordinate, a
# line a column:

vectors.iloc[:, :20].std().to_numpy().reshape(5, 4).round(1)

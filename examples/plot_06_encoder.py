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

from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from skembed import EmbeddingEncoder, EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    flights.data, flights.target, train_size=5000, test_size=4000, random_state=0
)

# %%
# What comes out: a few columns for every column of tokens, the numbers beside them.

learner = EmbeddingRegressor(4, epochs=8, random_state=0)
encoder = EmbeddingEncoder(
    learner, categorical_features="auto", remainder="passthrough", random_state=0
).set_output(transform="pandas")
vectors = encoder.fit_transform(X_train, y_train)
print(vectors.shape)
vectors.iloc[:3, :6].round(2)

# %%
# Three encoders in front of the same boosted trees. The table is one on which the
# destination says nearly all, so they differ little; the benchmark pages have tables on
# which they differ more.

tokens = ["carrier", "origin", "dest", "tailnum", "month"]
encoders = {
    "vectors": EmbeddingEncoder(
        learner, categorical_features="auto", remainder="passthrough", random_state=0
    ),
    "target encoder": make_column_transformer(
        (TargetEncoder(), tokens), remainder="passthrough"
    ),
    "ordinal codes": make_column_transformer(
        (
            OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
            tokens,
        ),
        remainder="passthrough",
    ),
}
for name, encoder in encoders.items():
    trees = HistGradientBoostingRegressor(random_state=0)
    model = make_pipeline(encoder, trees).fit(X_train, y_train)
    print(f"{name:15} held-out R2 {model.score(X_test, y_test):.4f}")

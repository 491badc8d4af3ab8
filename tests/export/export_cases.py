"""Tokens that are hard to write, and an estimator that has any tokens."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from skembed import EmbeddingRegressor

AWKWARD = [
    "",
    " ",
    "New York",
    "tab\there",
    "line\nend\r\n",
    "100%",
    "%20",
    "%int:3",
    "größe",
    "東京 都",
    "😀",
    "\u00a0\u2028\ufeff",
    "a/b\\c\"d'",
    "\ud800",
    "None",
    "nan",
    "3",
    3,
    -7,
    2**70,
    2.5,
    float("inf"),
    True,
    b"by\x00tes",
    Decimal("1.10"),
    datetime.date(2020, 2, 29),
    datetime.datetime(2020, 2, 29, 1, 2, 3, 4),
    datetime.time(23, 59),
    None,
]


class GivenVectors(BaseEstimator):
    """An estimator that has the fitted attributes for given tokens."""

    def __init__(self, tokens=()):
        self.tokens = tokens

    def fit(self, X=None, y=None):
        """Give every token a random vector of three numbers."""
        rng = np.random.default_rng(0)
        tokens = np.empty(len(self.tokens), dtype=object)
        tokens[:] = self.tokens
        shape = (len(tokens), 3)
        self.categories_ = [tokens]
        self.embeddings_ = [rng.normal(size=shape).astype(np.float32)]
        self.embeddings_std_ = [rng.uniform(size=shape).astype(np.float32)]
        self.category_counts_ = [np.arange(1.0, len(tokens) + 1)]
        self.is_categorical_ = np.array([True])
        return self


def fitted_on_two_columns():
    """Return an estimator fitted on two token columns."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {'a "b"\n': rng.choice(["x", "y z"], 60), "n": rng.choice([1, 2, 3], 60)}
    )
    y = X["n"] + rng.normal(size=60)
    model = EmbeddingRegressor(2, categorical_features="all", epochs=2, random_state=0)
    return model.fit(X, y)

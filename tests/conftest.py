"""Data and estimators that several test modules share."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Before anything imports SciPy: without it scikit-learn skips some of its checks.
os.environ["SCIPY_ARRAY_API"] = "1"
# Workers beside each other share the cores: threads of more than their share wait for
# each other, those of OpenMP many times as long as their work takes.
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    share = os.cpu_count() // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for name in ("OMP_NUM", "NUMBA_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP"):
        os.environ.setdefault(f"{name}_THREADS", str(max(1, share)))

import numpy as np
import pytest

from skembed import EmbeddingRegressor, TokenSimilarity
from skembed.datasets import make_token_outcomes

SECTION_ONE = {
    "embedding_dim": 4,
    "hidden_layer_sizes": (10, 8, 6, 4),
    "activation": ("relu", "linear", "linear", "linear"),
    "categorical_features": "all",
    "prior": None,
    "optimizer": "rmsprop",
    "learning_rate": 1e-3,
    "batch_size": 1000,
    "epochs": 100,
}


@pytest.fixture(scope="session")
def section_one():
    """Parameters of the network that it all started from."""
    return dict(SECTION_ONE)


@pytest.fixture(scope="session")
def mixed():
    """A table of two columns of tokens and two of numbers, with its outcome."""
    rng = np.random.default_rng(0)
    n = 300
    X = np.empty((n, 4), dtype=object)
    X[:, 0] = rng.choice(list("abcdef"), n)
    X[:, 1] = rng.integers(0, 4, n)
    X[:, 2] = rng.normal(size=n)
    X[:, 3] = rng.gamma(2.0, size=n)
    effect = dict(zip("abcdef", rng.normal(0, 3, 6), strict=True))
    y = np.array([effect[t] for t in X[:, 0]]) + X[:, 1].astype(float)
    y += 2.0 * X[:, 2].astype(float) + rng.normal(0, 0.5, n)
    X.flags.writeable = False
    return X, y


@pytest.fixture(scope="session")
def many_tokens():
    """One column of 60 tokens with long-tailed counts, and the truth about them."""
    return make_token_outcomes(
        2_000,
        60,
        effects="normal",
        effect_scale=4.0,
        noise_scale=4.0,
        counts="zipf",
        return_X_y=False,
        random_state=3,
    )


@pytest.fixture
def quick():
    """Make a regressor that trains for a few epochs only."""

    def make(**params):
        return EmbeddingRegressor(
            **{
                "embedding_dim": 3,
                "hidden_layer_sizes": (8,),
                "epochs": 4,
                "random_state": 0,
                **params,
            }
        )

    return make


@pytest.fixture(scope="session")
def vectors():
    """Return 60 vectors of 5 numbers."""
    return np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)


@pytest.fixture(scope="session")
def colours():
    """Return a table of one column whose tokens have known effects."""
    rng = np.random.default_rng(0)
    effect = {"blue": 8.0, "green": 0.0, "lime": 0.6, "navy": 7.4, "red": -10.0}
    X = rng.choice(sorted(effect), size=(600, 1)).astype(object)
    y = np.array([effect[token] for token in X[:, 0]]) + rng.normal(size=600)
    return X, y


@pytest.fixture(scope="session")
def fitted(colours):
    """Return a similarity fitted on the colours."""
    return TokenSimilarity(random_state=0).fit(*colours)

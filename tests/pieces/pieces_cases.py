"""Fits of rows in pieces, and sources that fail or change."""

import gc
import os

import numpy as np

from skembed import EmbeddingRegressor

N, FEATURES = 6_000, ["token", "other", "z"]


def regressor(**params):
    return EmbeddingRegressor(
        **{"hidden_layer_sizes": (8,), "epochs": 12, "random_state": 0, **params}
    )


def same_bits(a, b):
    np.testing.assert_array_equal(a.embeddings_[0], b.embeddings_[0])
    for name, value in a._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, b._fitted.weights.dense[name])
    assert a.loss_curve_ == b.loss_curve_


class Broken:
    """Tables that end in an error in one of the passes."""

    def __init__(self, frame, passes, error):
        self.frame, self.left, self.error = frame, passes, error

    def __iter__(self):
        yield self.frame[:3_000]
        self.left -= 1
        if not self.left:
            raise self.error
        yield self.frame[3_000:]


class Changing:
    """Rows that are others in every pass, numbered from 1."""

    def __init__(self, rows_of_pass):
        self.rows_of_pass, self.n = rows_of_pass, 0

    def __iter__(self):
        self.n += 1
        yield self.rows_of_pass(self.n)


def assert_nothing_left(folder):
    assert list(folder.iterdir()) == []
    gc.collect()
    if os.path.isdir("/proc/self/fd"):
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        links = [os.readlink(link) for link in links if os.path.lexists(link)]
        assert not [link for link in links if link.startswith(str(folder))]

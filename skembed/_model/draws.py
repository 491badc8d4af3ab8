"""Draws of standard normal numbers that are the same in every call."""

import numpy as np


def antithetic(n_pairs, *shape):
    """Pairs of opposite draws, (2 * n_pairs, *shape), each number of variance 1."""
    draws = np.random.default_rng(0).standard_normal((n_pairs, *shape))
    draws /= np.sqrt(np.mean(np.square(draws), axis=0))
    return np.concatenate([draws, -draws])

"""Draws of standard normal numbers that are the same in every call."""

import numpy as np
from scipy.stats import norm, qmc


def antithetic(n_pairs, *shape):
    """Pairs of opposite draws, (2 * n_pairs, *shape), each number of variance 1."""
    draws = np.random.default_rng(0).standard_normal((n_pairs, *shape))
    return _opposite(draws)


def spread_out(n_pairs, n):
    """The same, (2 * n_pairs, n), but draws keep away from each other.

    Points of Sobol's sequence, shifted at random (Cranley and Patterson 1976,
    "Randomization of number theoretic methods for multiple integration"): means over a
    few of them are as good as over several times as many that are drawn one by one.
    """
    # The sequence is balanced at powers of two.
    power = int(np.ceil(np.log2(n_pairs)))
    points = qmc.Sobol(n, scramble=False).random_base2(power)[:n_pairs]
    points = (points + np.random.default_rng(0).random(n)) % 1.0
    return _opposite(norm.ppf(np.clip(points, 1e-9, 1.0 - 1e-9)))


def _opposite(draws):
    draws = draws / np.sqrt(np.mean(np.square(draws), axis=0))
    return np.concatenate([draws, -draws])

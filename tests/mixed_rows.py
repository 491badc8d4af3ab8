"""Rows of two columns of tokens and one of numbers, with their outcome."""

import numpy as np
import pandas as pd


def mixed_rows(n):
    """A data frame of `n` rows: token, other, z, the outcome y, and weights w."""
    rng = np.random.default_rng(0)
    token, other, z = rng.integers(0, 40, n), rng.integers(0, 6, n), rng.normal(size=n)
    y = rng.normal(size=40)[token] + 0.5 * (other % 3) + np.sin(2 * z)
    y += rng.normal(size=n) * 0.3
    frame = pd.DataFrame({"token": token, "other": other.astype(str), "z": z, "y": y})
    return frame.assign(w=rng.integers(0, 3, n))

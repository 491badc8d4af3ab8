"""Outcomes and weights that cannot be learned from, refused by where they stand."""

import numpy as np

from .. import _settings as settings
from .cells import is_missing


def refuse_missing(y):
    """Raise if an outcome is masked or missing.

    scikit-learn's checks see a NaN among numbers, without its row, but no mask and no
    None or NA among labels.
    """
    if np.ma.isMaskedArray(y):
        missing = _any_of_row(np.ma.getmaskarray(y))
        what = "a masked value"
    else:
        values = np.asarray(y)
        if values.dtype.kind == "f" and values.ndim:
            missing = _any_of_row(np.isnan(values))
        elif values.dtype.kind == "O" and values.ndim == 1:
            missing = [is_missing(value) for value in values]
        else:
            return
        what = "a missing value"
    places = np.flatnonzero(missing)
    if len(places):
        raise ValueError(
            f"Input y contains NaN or {what} in row {places[0]} ({len(places)} in "
            "all): leave out the rows without an outcome."
        )


def _any_of_row(flags):
    return flags.any(axis=tuple(range(1, flags.ndim)))


def refuse_masked_weights(sample_weight):
    """Raise if a weight is masked, which scikit-learn's checks do not look at."""
    if np.ma.is_masked(sample_weight):
        places = np.flatnonzero(np.ma.getmaskarray(sample_weight))
        raise ValueError(
            f"sample_weight is masked in row {places[0]} ({len(places)} in all): give "
            "each row a weight, 0 to leave it out."
        )


def are_whole(y):
    """Whether all outcomes are whole numbers, row by row."""
    return (y == np.floor(y)).reshape(len(y), -1).all(axis=1)


def refuse_huge(y):
    """Raise if squares of outcomes, or of their differences, would not be finite."""
    largest = np.abs(y).max(initial=0.0)
    if largest > settings.MAX_OUTCOME:
        raise ValueError(
            f"y holds values up to {largest:.3g} in size, whose squares are not finite "
            f"in float64; divide y so that it stays below {settings.MAX_OUTCOME:.0e}."
        )

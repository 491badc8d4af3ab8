"""The prior of the vectors: what is learned of it, column by column.

    vector of a token ~ Normal(0, s^2)
    vector of a bin of a number ~ Normal(curve at the bin, s^2)

for the coordinates that reach the output directly; that of the others is standard
normal. A curve is smooth over the bins: a random walk from bin to bin in the basis in
which its steps are independent, cosines of the bin's rank (the Karhunen-Loeve expansion
of the walk, here without its constant). What the data want to be rough stays in `s`.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from .. import _settings as settings
from .tables import PosteriorTable

# Columns of the weight "prior" (n_columns, n_first, N_FIELDS + N_WAVES).


class Field(IntEnum):
    """What is learned of every column, beside the curve's coefficients."""

    MEAN = 0  # of the prior; 0 where nothing is being trained
    LOG_SCALE = 1  # of vectors about the mean or the curve
    LOG_SHARE = 2  # of a vector's precision that other columns leave it
    LOG_CURVE = 3  # scale of the curve


N_FIELDS = len(Field)
N_WAVES = settings.CURVE_WAVES


def waves(n_bins):
    """Values of the basis at the bins of a number, (n_bins, N_WAVES).

    Their squares have the mean 1. The last bin is that of missing values, where the
    curve is 0.
    """
    n = n_bins - 1
    rank = (np.arange(n) + 0.5) / max(n, 1)
    number = np.arange(1, N_WAVES + 1)
    found = np.sqrt(2.0) * np.cos(np.pi * rank[:, None] * number)
    found[:, number >= n] = 0.0  # As many bins do not tell them apart.
    return np.concatenate([found, np.zeros((1, N_WAVES))]).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Curves:
    """The basis at every row of a table that is a bin of a number.

    Attributes
    ----------
    start : int
        Position of the first such row; all that follow are bins.
    basis : ndarray of float32 of shape (n_bins, N_WAVES)
    """

    start: int
    basis: np.ndarray

    @classmethod
    def of(cls, n_token_rows, sizes_of_bins):
        """Of the numbers of tokens, and of the bins of each number."""
        blank = np.zeros((0, N_WAVES), np.float32)
        return cls(n_token_rows, np.concatenate([blank, *map(waves, sizes_of_bins)]))


def untrained(n_columns, n_first, curved):
    """The weight "prior" before training; `curved` says which columns have curves."""
    value = np.zeros((n_columns, n_first, N_FIELDS + N_WAVES), np.float32)
    value[:, :, Field.LOG_CURVE] = settings.START_LOG_CURVE
    # First the curves: bins on their own could say all that these can.
    value[curved, :, Field.LOG_SCALE] = settings.START_LOG_ROUGH
    return value


@dataclass(frozen=True, eq=False)
class LearnedPrior:
    """Prior of every row of a table.

    Attributes
    ----------
    mean, precision : ndarray of float32 of shape (n_columns, width)
    sizes : sequence of int
        Rows of each column.
    curve_start : int
        Position of the first row with a curve.
    curve : ndarray of float32 of shape (n_bins, width)
        What is added to the mean of the rows from there on.
    """

    mean: np.ndarray
    precision: np.ndarray
    sizes: list
    curve_start: int
    curve: np.ndarray

    @classmethod
    def of(cls, weight, width, sizes, curves):
        """Prior of the weight "prior"."""
        n_first = weight.shape[1]
        mean = np.zeros((len(sizes), width), np.float32)
        precision = np.ones_like(mean)
        mean[:, :n_first] = weight[:, :, Field.MEAN]
        precision[:, :n_first] = np.exp(-2.0 * weight[:, :, Field.LOG_SCALE])
        column = _column(sizes, curves.start + np.arange(len(curves.basis)))
        curve = np.zeros((len(column), width), np.float32)
        waves_of = weight[column][:, :, N_FIELDS:]
        curve[:, :n_first] = np.einsum("rfw,rw->rf", waves_of, curves.basis)
        return cls(mean, precision, sizes, curves.start, curve)

    def rows(self, at):
        """Prior of the rows at these positions, as a `PosteriorTable`."""
        column = _column(self.sizes, at)
        mean = self.mean[column]
        curved = at >= self.curve_start
        mean[curved] += self.curve[at[curved] - self.curve_start]
        return PosteriorTable(mean, self.precision[column])

    @property
    def all_rows(self):
        """Prior of every row, as a `PosteriorTable`."""
        return self.rows(np.arange(sum(self.sizes)))


def _column(sizes, at):
    return np.searchsorted(np.cumsum(sizes), at, side="right")

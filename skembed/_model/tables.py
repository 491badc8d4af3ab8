"""Tables of vectors, one row per token: points, or distributions under a prior.

The two kinds have the same methods, so other code need not ask which kind it has. Class
attributes tell what else belongs to a kind: direct terms beside the layers, a full
likelihood. ``skembed._keras.tables`` trains the two kinds.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .. import _settings as settings


@dataclass(frozen=True, eq=False)
class PointTable:
    """Vectors as points, of a bare network.

    Attributes
    ----------
    mean : ndarray of float32 of shape (n_rows, width)
        The tables of all columns, one below the other.
    """

    mean: np.ndarray

    has_direct_terms: ClassVar[bool] = (
        False  # first-order and linear, beside the layers
    )
    has_likelihood: ClassVar[bool] = False  # y is scaled, and its noise is learned
    has_spread: ClassVar[bool] = False  # vectors are drawn in training
    learning_rate: ClassVar[float | None] = None  # None: what the optimizer says
    decay: ClassVar[str] = "constant"

    @staticmethod
    def n_first(width, n_outputs):
        """Leading coordinates of a vector that reach the output directly."""
        return 0

    @classmethod
    def start(cls, n_rows, width, n_first, rng):
        """Table to start training from: as in Keras, uniform about 0."""
        mean = rng.random((n_rows, width), dtype=np.float32)
        mean -= np.float32(0.5)
        mean *= np.float32(2 * settings.POINT_START)
        return cls(mean)

    def rows(self, at):
        """Table of the rows at these positions."""
        return PointTable(self.mean[at])

    def replaced(self, at, rows):
        """Table with other rows at these positions."""
        mean = self.mean.copy()
        mean[at] = rows.mean
        return PointTable(mean)

    def settled(self, counts, sizes, prior):
        """Table in which unknown tokens have the mean vector of their column."""
        mean, start = self.mean.copy(), 0
        for size in sizes:
            block = slice(start, start + size)
            unseen = start + np.flatnonzero(counts[block] <= 0)
            if counts[block].sum() > 0:
                mean[unseen] = np.average(mean[block], axis=0, weights=counts[block])
            start += size
        return PointTable(mean)

    def fresh(self, tokens, prior, rng):
        """Table from which these vectors are learned again: they start at random.

        Nothing else would make them forget their former values.
        """
        mean = self.mean.copy()
        mean[tokens] = 0.05 * (2.0 * rng.random(mean[tokens].shape) - 1.0)
        return PointTable(mean)

    @staticmethod
    def combined(tables, counts, prior):
        """Table of several, each learned from a part of the rows: their means.

        Parameters
        ----------
        tables : list of PointTable
        counts : ndarray of shape (n_tables, n_rows)
            Weight of the rows that each table has learned a vector from.
        prior : None
        """
        weights = np.where(counts.sum(axis=0) > 0, counts, 1.0)[:, :, None]
        means = np.stack([table.mean for table in tables])
        mean = np.average(means, axis=0, weights=np.broadcast_to(weights, means.shape))
        return PointTable(mean.astype(np.float32))


@dataclass(frozen=True, eq=False)
class PosteriorTable:
    """Vectors as normal distributions with independent coordinates.

    Attributes
    ----------
    mean : ndarray of float32 of shape (n_rows, width)
        The tables of all columns, one below the other.
    precision : ndarray of float32 of shape (n_rows, width)
        1 / variance of every coordinate in `mean`.
    """

    mean: np.ndarray
    precision: np.ndarray

    has_direct_terms: ClassVar[bool] = True
    has_likelihood: ClassVar[bool] = True
    has_spread: ClassVar[bool] = True
    learning_rate: ClassVar[float | None] = settings.LEARNING_RATE
    decay: ClassVar[str] = "cosine"

    @staticmethod
    def n_first(width, n_outputs):
        """Leading coordinates of a vector that reach the output directly."""
        return min(width, n_outputs)

    @classmethod
    def start(cls, n_rows, width, n_first, rng):
        """Table to start training from: first-order coordinates at 0, others near it.

        The first steps then go to the direct terms.
        """
        mean = rng.standard_normal((n_rows, width), dtype=np.float32)
        mean *= np.float32(settings.START_MEAN)
        mean[:, :n_first] = 0.0
        of_row = np.full(width, settings.START_SD**-2, np.float32)
        # At the prior: to the scales a tighter start would say that effects are small.
        of_row[:n_first] = 1.0
        # One row stands for all: of ten million it would take a third of a gigabyte.
        return cls(mean, np.broadcast_to(of_row, mean.shape))

    def rows(self, at):
        """Table of the rows at these positions."""
        return PosteriorTable(self.mean[at], self.precision[at])

    def first(self, n):
        """Table of the first coordinates only."""
        return PosteriorTable(self.mean[:, :n].copy(), self.precision[:, :n].copy())

    def with_first(self, first):
        """Table with other first coordinates."""
        n = first.mean.shape[1]
        mean, precision = self.mean.copy(), self.precision.copy()
        mean[:, :n], precision[:, :n] = first.mean, first.precision
        return PosteriorTable(mean, precision)

    def at_standard_prior(self):
        """Table at the prior of the coordinates whose scale is not learned."""
        return PosteriorTable(np.zeros_like(self.mean), np.ones_like(self.precision))

    def replaced(self, at, rows):
        """Table with other rows at these positions."""
        mean, precision = self.mean.copy(), self.precision.copy()
        mean[at], precision[at] = rows.mean, rows.precision
        return PosteriorTable(mean, precision)

    def spread(self, at):
        """Means of these rows in float64, and roots of their precisions."""
        return self.mean[at].astype(np.float64), np.sqrt(self.precision[at])

    def settled(self, counts, sizes, prior):
        """Table in which unknown tokens have their prior.

        `prior` is a `LearnedPrior`, or a `PosteriorTable` with the same rows.
        """
        unseen = np.flatnonzero(counts <= 0)
        return self.replaced(unseen, prior.rows(unseen))

    def fresh(self, tokens, prior, rng):
        """Table from which these vectors are learned again.

        Means start a part of the way to where they were: where columns interact there
        are many optima, and all tables must end in the one that the dense weights
        belong to. They do not start all of the way, or a rare token would stay in an
        optimum that the outcomes left out have chosen. Precisions start from the prior,
        so each step moves a token as far as its data say, and a few steps forget the
        start.
        """
        mean, precision = self.mean.copy(), self.precision.copy()
        mean[tokens] *= np.float32(settings.FRESH_START)
        precision[tokens] = prior.rows(np.flatnonzero(tokens)).precision
        return PosteriorTable(mean, precision)

    @staticmethod
    def combined(tables, counts, prior):
        """Table of several, each learned from all rows but its own part of them.

        Every row is in all but one of the tables, so what they add to the precision of
        the prior, summed and divided by one less than their number, is what all rows
        add. Means are weighted by precision alike, and stay inside of the tables'
        range. (Products of posteriors over parts of the data: Scott et al. 2016, "Bayes
        and big data: the consensus Monte Carlo algorithm", section 3.)

        Parameters
        ----------
        tables : list of PosteriorTable
        counts : ndarray of shape (n_tables, n_rows)
            Not looked at: precisions know how much each has seen.
        prior : PosteriorTable
            Prior of each row.
        """
        n = max(len(tables) - 1, 1)
        means = np.stack([table.mean for table in tables]).astype(np.float64)
        precisions = np.stack([table.precision for table in tables]).astype(np.float64)
        of_prior = prior.precision.astype(np.float64)
        precision = of_prior + (precisions - of_prior).sum(axis=0) / n
        precision = np.maximum(precision, precisions.min(axis=0))
        weighted = precisions * means - of_prior * prior.mean
        mean = (of_prior * prior.mean + weighted.sum(axis=0) / n) / precision
        mean = np.clip(mean, means.min(axis=0), means.max(axis=0))
        return PosteriorTable(mean.astype(np.float32), precision.astype(np.float32))


# What the parameter `prior` of the predictors stands for.
KINDS = {"normal": PosteriorTable, None: PointTable}

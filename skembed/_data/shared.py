"""Columns that share one vocabulary, and of their vectors all that is not first-order.

Of each column a token has a first-order effect of its own: what a team does at home it
does not do away. The other coordinates are one row of the table for all columns: what
is learned of a team in one of them is known in the others.
"""

from dataclasses import dataclass

import numpy as np

from .cells import Refused, joined
from .factorize import Coded, factorize
from .tokens import TokenIndex


@dataclass(frozen=True)
class Shared:
    """A block of the table that several columns of tokens share.

    Attributes
    ----------
    columns : tuple of int
        Positions among the columns of tokens.
    """

    columns: tuple

    def size(self, tokens):
        """Number of rows of the block."""
        return tokens[self.columns[0]].n_codes


@dataclass(frozen=True, eq=False)
class _Stacked(Coded):
    """The cells of several columns, one below the other; reads as one column."""

    column: np.ndarray  # which column each cell is of

    @classmethod
    def of(cls, columns):
        codes, uniques, names = [], None, []
        for column in columns:
            own, found = column.factorize()
            names.append(str(column.name))
            start = 0 if uniques is None else len(uniques)
            codes.append(np.where(own < 0, -1, own + start))
            try:
                uniques = found if uniques is None else joined(uniques, found)
            except Refused as refused:
                raise refused.named(column.name) from None
        at, uniques = factorize(uniques)
        which = np.repeat(np.arange(len(codes)), list(map(len, codes)))
        codes = np.append(at, -1)[np.concatenate(codes)]
        return cls("' and '".join(names), codes, uniques, which)

    def split(self, codes):
        """Codes column by column."""
        ends = np.cumsum(np.bincount(self.column))[:-1]
        return np.split(codes, ends)


def fit_shared(columns, weights, min_frequency, max_categories):
    """One index per column, all with the same tokens, and the codes of each.

    Rare tokens are those that are rare in all columns together.

    Parameters
    ----------
    columns : list of Column
    weights : list of ndarray
        Weight of every value, column by column.
    min_frequency, max_categories
        As in `TokenIndex.fit`.
    """
    stacked = _Stacked.of(columns)
    every = np.concatenate(weights)
    limits = min_frequency, max_categories
    index, codes = TokenIndex.fit(stacked, every, *limits)
    pairs = zip(columns, weights, strict=True)
    indices = [index.counted(*pair) for pair in pairs]
    return indices, stacked.split(codes)


def grown_shared(indices, columns, weights):
    """The indices of columns with the new tokens of all of them, and the codes."""
    stacked = _Stacked.of(columns)
    every, grown = np.concatenate(weights), []
    for k, index in enumerate(indices):
        more, codes = index.grown(stacked, np.where(stacked.column == k, every, 0.0))
        more.categories = grown[0].categories if grown else more.categories
        grown.append(more)
    return grown, stacked.split(codes)

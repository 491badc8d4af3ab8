"""Tokens within others: zips in counties in states.

The vector of a token is that of its parent and a deviation of its own: the prior mean
of a token's vector is its parent's. So a token that was never seen is its parent, with
the spread that tokens have about theirs. The parents of a column are other columns of
the table, or follow from its tokens by a mapping.
"""

from dataclasses import dataclass, replace

import numpy as np

from .cells import Refused, is_missing
from .factorize import Coded, factorize
from .lookup import Vocabulary
from .tokens import TokenIndex


@dataclass(frozen=True, eq=False)
class ParentMap:
    """The parent of every token of a column.

    Attributes
    ----------
    children : Vocabulary
    codes : ndarray of int of shape (n_children,)
        Of the parent of each, -1 where it is missing.
    parents : ndarray
        The distinct parents.
    """

    children: Vocabulary
    codes: np.ndarray
    parents: np.ndarray

    @classmethod
    def of(cls, mapping, name):
        """The mapping of a dict, or of whatever else has `items`."""
        pairs = [pair for pair in mapping.items() if not is_missing(pair[0])]
        children, parents = (np.empty(len(pairs), dtype=object) for _ in range(2))
        for i, (child, parent) in enumerate(pairs):
            children[i], parents[i] = child, parent
        try:
            return cls(Vocabulary(children), *factorize(parents))
        except Refused as refused:
            raise refused.named(name) from None

    def read(self, column):
        """The parents of a column's cells, as a column; others are missing."""
        codes, uniques = column.factorize()
        at = np.append(self.children.positions(uniques), -1)
        return Coded(column.name, np.append(self.codes, -1)[at][codes], self.parents)


@dataclass(frozen=True, eq=False)
class Level:
    """What the tokens of a column are within.

    Attributes
    ----------
    child : int
        The column whose tokens are within, among the columns of tokens.
    column : int or None
        The column of the parents, among the columns of tokens.
    mapping : ParentMap or None
        Where the parents are no column: from what to them.
    below : int or None
        From which level the mapping leads; None: from the child's own tokens.
    same : int or None
        Which level has the same parents: this one is of those within them.
    index : TokenIndex or None
        The parents' tokens, where they are no column.
    usual : ndarray of int of shape (n_codes,), or None
        The parent's code that most rows have for each code of the child.
    """

    child: int
    column: int | None = None
    mapping: ParentMap | None = None
    below: int | None = None
    same: int | None = None
    index: TokenIndex | None = None
    usual: np.ndarray | None = None

    def fitted(self, column, weights):
        """The level with the parents in a column that follows from a mapping."""
        index, codes = TokenIndex.fit(column, weights)
        return replace(self, index=index), codes

    def grown(self, column, weights):
        """The level with the new parents of a column."""
        index, codes = self.index.grown(column, weights)
        return replace(self, index=index), codes

    def seen(self, codes, parents, weights, sizes):
        """The level with the usual parents of a child's codes in rows of both.

        `sizes` are the numbers of codes of child and parents; a code that is in no row
        keeps its parent, or has the unknown one.
        """
        n, n_parents = sizes
        usual = np.full(n, n_parents - 1)
        if self.usual is not None:
            before = np.where(self.usual == self.unknown, n_parents - 1, self.usual)
            usual[: len(before) - 1] = before[:-1]
        pairs, which = np.unique(
            codes * np.int64(n_parents) + parents, return_inverse=True
        )
        times = np.bincount(which, weights)
        order = np.argsort(times, kind="stable")
        child, parent = np.divmod(pairs[order], n_parents)
        usual[child] = parent  # of several the last, which most rows have
        usual[n - 1] = n_parents - 1
        return replace(self, usual=usual)

    @property
    def unknown(self):
        """Code of an unknown parent, as `usual` has it."""
        return self.usual[-1]

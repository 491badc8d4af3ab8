"""One column's tokens and their codes: known, pooled as rare, missing and unknown.

Two cells are one token where their canonical forms are equal, whatever table, type or
unit they come in: numbers that Python calls equal (1, 1.0 and True; "1" is another),
dates and times that are the same instant, durations of the same length, integers of any
width. None, NaN, pandas.NA, NaT and masked cells are one token, "missing"; "" is a
token like any other, and bytes are no text. `_data.cells` has the full rules.
"""

import numpy as np

from .cells import MISSING, Refused, joined, sort_order, with_missing
from .lookup import Vocabulary


class TokenIndex:
    """The vocabulary of one column.

    Codes 0 to ``n_codes - 2`` belong to tokens seen in fit; ``n_codes - 1`` stands
    for a token that was not. Rare tokens share the code before it.

    Attributes
    ----------
    categories : ndarray of shape (n_tokens,)
        All tokens seen in fit, sorted; a missing value comes last.
    counts : ndarray of shape (n_tokens,)
        Sum of the sample weights of each.
    codes : ndarray of shape (n_tokens,)
        Code of each token; equal for the tokens that were pooled.
    infrequent : ndarray or None
        The pooled tokens.
    """

    def __init__(self, categories, has_missing, counts, codes, n_codes, infrequent):
        self.categories = categories
        self.has_missing = has_missing
        self.counts = counts
        self.codes = codes
        self.n_codes = n_codes
        self.infrequent = infrequent
        self._vocabulary = Vocabulary(categories)

    @classmethod
    def fit(cls, column, weights, min_frequency=None, max_categories=None, total=None):
        """Index of the tokens of `column`; also the code of every row.

        `total` is what shares are of: by default the sum of the weights.
        """
        total = weights.sum() if total is None else total
        row_codes, uniques = column.factorize()
        n = len(uniques)
        position = np.where(row_codes < 0, n, row_codes)
        counts = np.bincount(position, weights=weights, minlength=n + 1)
        seen = np.bincount(position, minlength=n + 1) > 0
        index, order = cls.of_counts(
            uniques, counts, seen, min_frequency, max_categories, total
        )
        to_code = np.full(n + 1, index.unknown, dtype=np.int32)
        to_code[order] = index.codes
        return index, to_code[position]

    @classmethod
    def of_counts(cls, uniques, counts, seen, min_frequency, max_categories, total):
        """Index of tokens that have been counted.

        Parameters
        ----------
        uniques : ndarray of shape (n,)
            Canonical and distinct.
        counts : ndarray of shape (n + 1,)
            Sum of the weights of each, that of missing values last.
        seen : ndarray of bool of shape (n + 1,)
            Whether there are rows of it.
        min_frequency, max_categories, total
            As in `fit`.

        Returns
        -------
        index : TokenIndex
        order : ndarray of int of shape (n_tokens,)
            Positions of its categories in `counts`.
        """
        n = len(uniques)
        kept = np.flatnonzero(seen[:n])
        kept = kept[sort_order(uniques[kept])]
        has_missing = bool(seen[n])
        categories = uniques[kept]
        order = kept
        if has_missing:
            categories = with_missing(categories)
            order = np.append(kept, n)
        counts = counts[order]
        rare = _rare(counts, total, min_frequency, max_categories)
        codes = np.cumsum(~rare) - 1
        n_kept = int((~rare).sum())
        codes[rare] = n_kept
        n_codes = n_kept + bool(rare.any()) + 1
        infrequent = categories[rare] if rare.any() else None
        codes = codes.astype(np.int32)
        return cls(categories, has_missing, counts, codes, n_codes, infrequent), order

    @property
    def unknown(self):
        """Code of a token not seen in fit."""
        return self.n_codes - 1

    @property
    def code_counts(self):
        """Sum of the sample weights behind every code."""
        return np.bincount(self.codes, weights=self.counts, minlength=self.n_codes)

    def grown(self, column, weights):
        """This index with the new tokens of `column` added, and the new row codes.

        Codes of old tokens stay; a new token gets the next free code, whatever its
        count. The categories are sorted anew.
        """
        row_codes, uniques = column.factorize()
        at = self._vocabulary.positions(uniques)
        n, old = len(uniques), len(self.categories)
        position = np.where(row_codes < 0, n, row_codes)
        seen = np.bincount(position, minlength=n + 1) > 0
        added = np.bincount(position, weights=weights, minlength=n + 1)
        new = np.flatnonzero((at < 0) & seen[:n])
        new = new[sort_order(uniques[new])]
        new_missing = bool(seen[n]) and not self.has_missing
        codes = np.concatenate(
            [self.codes, self.unknown + np.arange(len(new) + new_missing)]
        ).astype(np.int32)
        n_new = len(new) + new_missing
        try:
            values = joined(self._present(), uniques[new])
        except Refused as refused:
            raise refused.named(column.name) from None
        to_position = np.append(at, old - 1 if self.has_missing else -1)
        to_position[new] = old + np.arange(len(new))
        if new_missing:
            to_position[n] = old + n_new - 1
        counts = np.append(self.counts, np.zeros(n_new))
        used = to_position >= 0
        np.add.at(counts, to_position[used], added[used])
        # Sorted order of the present tokens; a missing value stays last.
        keep = np.arange(old - self.has_missing)
        order = np.concatenate([keep, old + np.arange(len(new))])
        sorting = sort_order(values)
        order = order[sorting]
        last = [old - 1] if self.has_missing else [old + n_new - 1] * new_missing
        order = np.concatenate([order, last]).astype(np.int64)
        values = values[sorting]
        has_missing = self.has_missing or new_missing
        if has_missing:
            values = with_missing(values)
        index = TokenIndex(
            values,
            has_missing,
            counts[order],
            codes[order],
            self.n_codes + n_new,
            self.infrequent,
        )
        return index, codes[to_position[position]]

    def counted(self, column, weights):
        """This index with the counts of another column of the same tokens."""
        at, rows = column.found_in(self._vocabulary)
        counts = np.bincount(at[rows], weights, len(self.categories))
        return TokenIndex(
            self.categories,
            self.has_missing,
            counts,
            self.codes,
            self.n_codes,
            self.infrequent,
        )

    def transform(self, column, pool_unknown=True):
        """Code of every row.

        A token not seen in fit counts as one of the pooled rare ones, if there are
        any and `pool_unknown`, else it gets the code :attr:`unknown`; so does a
        missing value if there was none in fit.
        """
        positions, rows = column.found_in(self._vocabulary)
        is_pooled = pool_unknown and self.infrequent is not None
        codes = self.codes[positions]
        codes[positions < 0] = self.unknown - is_pooled
        if positions[-1] < 0:  # missing values are not pooled
            codes[-1] = self.unknown
        return codes[rows]

    def unknown_tokens(self, column):
        """The distinct tokens of `column` that were not seen in fit."""
        row_codes, uniques = column.factorize()
        used = np.bincount(row_codes + 1, minlength=len(uniques) + 1) > 0
        at = self._vocabulary.positions(uniques)
        out = list(uniques[(at < 0) & used[1:]])
        return out + [MISSING] * bool(used[0] and not self.has_missing)

    def _present(self):
        return self.categories[: len(self.categories) - self.has_missing]


def _rare(counts, total, min_frequency, max_categories):
    """Which tokens are pooled, as scikit-learn's OneHotEncoder decides it."""
    rare = np.zeros(len(counts), dtype=bool)
    if min_frequency is not None:
        is_share = not isinstance(min_frequency, (int, np.integer))
        rare |= counts < (min_frequency * total if is_share else min_frequency)
    if max_categories is not None and (~rare).sum() + rare.any() > max_categories:
        by_count = np.argsort(counts, kind="stable")
        rare[by_count[: len(counts) - (max_categories - 1)]] = True
    return rare

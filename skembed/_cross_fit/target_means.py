"""Mean outcomes of tokens, shrunk towards the mean of all rows.

The vectors of a network describe the effect of a token when everything else is given. A
model that splits on one column at a time also needs to know where the outcomes of a
token's rows lie: their mean, shrunk towards that of all rows according to the number of
rows (Searle, Casella & McCulloch 1992, "Variance Components", sections 3.6 and 7.4: the
analysis of variance gives the two variances, the best linear predictor the means).
"""

from typing import NamedTuple

import numpy as np


class TokenSums(NamedTuple):
    """Sums over rows from which the means of their tokens follow.

    Attributes
    ----------
    counts : list of ndarray of shape (n_codes_k,)
        Weight of the rows of each token, column by column.
    totals : list of ndarray of shape (n_codes_k, n_outputs)
        Weighted sums of their outcomes minus `centre`.
    squares : ndarray of shape (n_outputs,)
        Weighted sum of the squares of all outcomes minus `centre`.
    centre : ndarray of shape (n_outputs,)
    limits : list of (low, high), or None
        Range that the means of a column's tokens stay in, as arrays like `totals`.
    """

    counts: list
    totals: list
    squares: np.ndarray
    centre: np.ndarray
    limits: list | None = None

    @classmethod
    def of(cls, rows, sizes, centre=None):
        """Sums over `rows`, an `Observations`, by its first columns: those of tokens.

        `sizes` holds the number of codes of each column. `centre` is by default the
        mean of the rows.
        """
        if centre is None:
            centre = np.average(rows.outcome, axis=0, weights=rows.weights)
        y = rows.outcome - centre
        weighted = rows.weights[:, None] * y
        counts, totals = [], []
        encoded = rows.encoded(slice(None))
        for k, size in enumerate(sizes):
            codes, factors = encoded.of_block(k)
            counts.append(_summed(codes, factors, rows.weights, size))
            sums = [_summed(codes, factors, column, size) for column in weighted.T]
            totals.append(np.stack(sums, axis=1))
        return cls(counts, totals, (weighted * y).sum(axis=0), centre)

    def more(self, rows, sizes):
        """These sums with those of more rows; a token keeps its code."""
        new = TokenSums.of(rows, sizes, self.centre)
        added, limits = [], None
        for old, others in ((self.counts, new.counts), (self.totals, new.totals)):
            added.append([sums.copy() for sums in others])
            for sums, before in zip(added[-1], old, strict=True):
                sums[: len(before)] += before
        if self.limits is not None:
            limits = [
                _lifted(*pair, n > 0)
                for pair, n in zip(self.limits, new.counts, strict=True)
            ]
        squares = self.squares + new.squares
        return TokenSums(*added, squares, self.centre, limits)

    def plus(self, others):
        """These sums and those of other rows, about the same centre."""
        counts, totals = (
            [a + b for a, b in zip(*pair, strict=True)]
            for pair in ((self.counts, others.counts), (self.totals, others.totals))
        )
        return TokenSums(counts, totals, self.squares + others.squares, self.centre)

    def recentred(self, centre=None):
        """These sums about another centre; None: about the mean of all their rows."""
        if not self.counts:
            return self
        n_all, total = self.counts[0].sum(), self.totals[0].sum(axis=0)
        shift = total / n_all if centre is None else centre - self.centre
        pairs = zip(self.totals, self.counts, strict=True)
        totals = [sums - n[:, None] * shift for sums, n in pairs]
        squares = self.squares - shift * (2.0 * total - n_all * shift)
        squares = np.maximum(squares, 0.0)
        return TokenSums(self.counts, totals, squares, self.centre + shift)

    def within(self, others):
        """These sums, with means that stay inside the range of those of `others`.

        More rows are shrunk less. So the mean of all rows may lie beyond those of all
        parts, where a model that was trained on the parts has met nothing.
        """
        means = zip(*(other.means()[0] for other in others), strict=True)
        limits = [(np.min(found, axis=0), np.max(found, axis=0)) for found in means]
        return self._replace(limits=limits)

    def means(self):
        """Mean and variance of every token minus the centre: two lists of arrays.

        A token without rows has the mean 0.
        """
        pairs = [
            _shrunk(*sums, self.squares)
            for sums in zip(self.counts, self.totals, strict=True)
        ]
        means = [mean for mean, _ in pairs]
        if self.limits is not None:
            bounded = zip(means, self.limits, strict=True)
            means = [np.clip(mean, *limits) for mean, limits in bounded]
        return means, [variance for _, variance in pairs]

    def explained(self):
        """Share of the variance that the means explain, (n_columns, n_outputs)."""
        shares = [
            (n[:, None] * np.square(mean)).sum(axis=0)
            for n, mean in zip(self.counts, self.means()[0], strict=True)
        ]
        shares = np.array(shares).reshape(len(shares), len(self.squares))
        return shares / np.maximum(self.squares, 1e-300)


def _summed(codes, factors, values, size):
    """Sums of the values of rows, token by token."""
    if factors is None:
        return np.bincount(codes[:, 0], values, size)
    values = (factors * values[:, None]).ravel()
    return np.bincount(codes.ravel(), values, size)


def _lifted(low, high, tokens):
    """Limits of a column that has grown, without those of `tokens`."""
    out = []
    for limit, far in ((low, -np.inf), (high, np.inf)):
        grown = np.full((len(tokens), limit.shape[1]), far)
        grown[: len(limit)] = limit
        grown[tokens] = far
        out.append(grown)
    return tuple(out)


def _shrunk(counts, totals, squares):
    """Best linear predictors of a column's means about 0, and their variances."""
    n, seen = counts[:, None], counts > 0
    n_all, n_tokens = counts.sum(), seen.sum()
    raw = np.where(n > 0, totals / np.maximum(n, 1e-300), 0.0)
    between = (n * np.square(raw)).sum(axis=0)
    within = np.maximum(squares - between, 0.0) / max(n_all - n_tokens, 1e-300)
    # Tokens with one row each carry no information on how far apart tokens are.
    apart = n_all - np.square(counts).sum() / max(n_all, 1e-300)
    effects = (between - (n_tokens - 1) * within) / max(apart, 1e-300)
    if n_all <= n_tokens or apart <= 0:
        effects = np.zeros_like(within)
    effects = np.maximum(effects, 0.0)
    scatter = n * effects + within
    share = np.divide(
        n * effects, scatter, out=np.zeros_like(scatter), where=scatter > 0
    )
    return share * raw, (1.0 - share) * effects

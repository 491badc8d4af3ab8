"""Vectors that are sums of their own row and of rows they share, brought to balance.

What the tokens of a parent, or those with a feature, have in common belongs into the
row that they share. Step by step it arrives there only as fast as the prior draws the
tokens' own rows back: the more rows of data a token has, the slower. The likelihood
does not tell the two apart, so the exchange between them needs no data: with the
tokens' own rows integrated out, each token is one observation of what its shared rows
add up to, and these have their optimum in closed form. Both parametrisations in turn,
as in Yu and Meng 2011, "To Center or Not to Center: That Is Not the Question - An
Ancillarity-Sufficiency Interweaving Strategy (ASIS) for Boosting MCMC Efficiency",
section 2.

By the model a token of many rows of data counts hardly more there than one of few.
Where common tokens are others than rare ones (films that many have seen are better
ones), what features say of the rows of a new token is better learned with each counted
by its rows (informative cluster sizes: Williamson, Datta and Satten 2003, "Marginal
Analyses of Clustered Data When Cluster Size Is Informative").
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from .. import _settings as settings


@dataclass(frozen=True, eq=False)
class Nesting:
    """Rows of the table, and rows that they share with others.

    Attributes
    ----------
    inner : ndarray of int of shape (n_inner,)
        Positions of rows of one block.
    outer : ndarray of int of shape (n_outer,)
        Positions of those that they share, in another one.
    """

    inner: np.ndarray
    outer: np.ndarray

    def balanced(self, mean, precision, prior):
        """Exchange between the rows.

        Parameters
        ----------
        mean : ndarray of float64 of shape (n_table_rows, n_first)
            Changed in place.
        precision : ndarray of shape (n_table_rows, n_first)
        prior : PosteriorTable
            Of every row.
        """
        for j in range(mean.shape[1]):
            own = prior.precision[self.inner, j].astype(float)
            # Curvature of the data, and the share of it that is left of a token as one
            # observation, with its own row integrated out.
            known = np.maximum(precision[self.inner, j] - own, 0.0)
            share = own / (known + own)
            apart = mean[self.inner, j] - prior.mean[self.inner, j]
            before = mean[self.outer, j]
            # What a token's data say of all of it, times `known`.
            told = (known + own) * apart + known * self.down(before)
            narrow = prior.precision[self.outer, j].astype(float)
            drawn = narrow * prior.mean[self.outer, j]
            shared = self.optimum(share, known, told, narrow, drawn)
            mean[self.outer, j] = shared
            mean[self.inner, j] += (1.0 - share) * self.down(before - shared)


@dataclass(frozen=True, eq=False)
class Within(Nesting):
    """Rows that each share one row.

    Attributes
    ----------
    place : ndarray of int of shape (n_inner,)
        Which of the outer rows.
    """

    place: np.ndarray

    def up(self, values):
        """Sums over the inner rows by outer row."""
        return np.bincount(self.place, values, len(self.outer))

    def down(self, values):
        """Values of the outer row of every inner row."""
        return values[self.place]

    def optimum(self, share, known, told, narrow, drawn):
        """The outer rows, as the model has it.

        Parameters
        ----------
        share : ndarray of shape (n_inner,)
            What each inner row counts for as one token, over what its data do.
        known : ndarray of shape (n_inner,)
            Precision of what its data say.
        told : ndarray of shape (n_inner,)
            What it says, times `known`.
        narrow, drawn : ndarray of shape (n_outer,)
            Precision of the prior, and that times its mean.
        """
        return (self.up(share * told) + drawn) / (self.up(share * known) + narrow)


@dataclass(frozen=True, eq=False)
class Mapped(Nesting):
    """Rows that share the rows of a map of their features.

    Attributes
    ----------
    factors : ndarray of float64 of shape (n_inner, n_outer)
    """

    factors: np.ndarray

    def up(self, values):
        """Sums over the inner rows, by feature."""
        return self.factors.T @ values

    def down(self, values):
        """What the map says of every inner row."""
        return self.factors @ values

    def optimum(self, share, known, told, narrow, drawn):
        """The map, between what tokens say of it and what their rows say.

        The more clearly tokens left out, each counted by its rows, are better predicted
        by the rows of the others, the nearer to these. Parameters: see `Within`.
        """
        by_token, losses = self._fit(share, known, told, narrow, drawn)
        by_row, others = self._fit(np.ones_like(share), known, told, narrow, drawn)
        gain = losses - others
        clear = gain.sum() / max(np.sqrt(np.square(gain).sum()), 1e-300)
        return by_token + ndtr(clear) * (by_row - by_token)

    def _fit(self, share, known, told, narrow, drawn):
        """The map, and losses of the rows of every token, left out of it."""
        weight = share * known
        precision = self.factors.T @ (weight[:, None] * self.factors)
        precision[np.diag_indices_from(precision)] += narrow
        sums = self.up(share * told) + drawn
        both = np.concatenate([sums[:, None], self.factors.T], 1)
        shared, *across = np.linalg.solve(precision, both).T
        leverage = weight * np.einsum("ij,ij->i", self.factors, across)
        missed = (told - known * self.down(shared)) / np.maximum(1.0 - leverage, 1e-6)
        at = known > 0.0  # What has no data has no loss.
        return shared, np.square(missed[at]) / known[at]


def nestings_of(encoder, rows, sizes):
    """The nestings of a table, the innermost first.

    Parameters
    ----------
    encoder : FeatureEncoder
    rows : Rows
    sizes : list of int
        Rows of the table of each block.

    Returns
    -------
    nestings : tuple of Nesting
    """
    found = []
    for k in encoder.fields if rows.blend is not None else ():
        chain = [k, *(block for block, _ in encoder.parents_of(k))]
        pairs = [(*pair, Within) for pair in zip(chain, chain[1:], strict=False)]
        pairs += [(k, block, Mapped) for block, _ in encoder.features_of(k)]
        found += [_nesting(rows, sizes, *pair) for pair in pairs]
    return tuple(one for one in found if one is not None)


def _nesting(rows, sizes, inner, outer, kind):
    """The nesting of a block in another; None where some rows are not within it."""
    slots = rows.blend.slots
    at, others = slots.of_block(inner), slots.of_block(outer)
    # What other vectors share, too, has more to it than these say.
    if len(at) > 1 or (slots.field[others] != slots.field[at]).any():
        return None
    start = sum(sizes[:outer])
    codes, factors = rows.codes[:, others] - start, rows.blend.factors[:, others]
    own, which = np.unique(rows.codes[:, at[0]], return_inverse=True)
    first = np.empty(len(own), np.int64)
    first[which] = np.arange(len(which))
    if (codes != codes[first][which]).any() or (factors != factors[first][which]).any():
        return None
    outer = start + np.arange(sizes[outer])
    # As many features as tokens say what the tokens' own rows could say, and which of
    # the two it is hangs on their prior scales, which are taken as known here.
    if kind is Mapped and len(own) < settings.TOKENS_PER_FEATURE * len(outer):
        return None
    if kind is Within:
        return Within(own, outer, codes[first][:, 0])
    found = np.zeros((len(own), len(outer)))
    found[:, codes[0]] = factors[first]
    return Mapped(own, outer, found)

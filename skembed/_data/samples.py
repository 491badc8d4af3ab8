"""The rows of a call, checked: table, outcomes and weights; and encoded."""

import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_consistent_length

from .. import _settings as settings
from .._sklearn import check_sample_weight, feature_names, num_samples
from . import frames
from .choice import (
    choose_categorical,
    choose_described,
    choose_hierarchy,
    choose_multi_valued,
    choose_shared,
    levels_of,
    refuse_both,
)
from .columns import as_table, take
from .crosses import choose_crosses
from .features import FeatureEncoder
from .origins import origins
from .outcomes import refuse_masked_weights
from .rows import Observations
from .screening import telling_pairs
from .shared import Shared
from .slopes import VARYING, choose_slopes, slopes_of
from .token_features import token_features


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows as they were given, without those of weight 0.

    Attributes
    ----------
    table : data frame or ndarray of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
    weights : ndarray of float64 of shape (n_rows,)
    outcome : ndarray of float64 of shape (n_rows, n_outputs), or None
        What is learned of `y`.
    target : dict or None
        Fitted attributes that are known from `y`, by name.
    start : int
        Rows before these in a source that they are a piece of.
    places : ndarray of int64 of shape (n_rows,), or None
        Where each row stands in that source.
    """

    table: object
    y: np.ndarray
    weights: np.ndarray
    outcome: np.ndarray | None = None
    target: dict | None = None
    start: int = 0
    places: np.ndarray | None = None

    @classmethod
    def checked(cls, X, y, sample_weight, is_chunk=False, start=None):
        """Check what a user gave; `y` has been checked.

        A chunk is some of more rows: its weights are no shares of the whole. A piece of
        a source says how many rows are before it, in `start`.

        Raises
        ------
        ValueError
            If there are no rows or columns, lengths differ, or weights are negative,
            not finite or all 0.
        """
        table = as_table(X)
        n = num_samples(table)
        if n == 0 or table.shape[1] == 0:
            what = "sample" if n == 0 else "feature"
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={tuple(table.shape)}) while a "
                "minimum of 1 is required."
            )
        check_consistent_length(table, y, sample_weight)
        place = {}
        if start is not None:
            place = {"start": start, "places": np.arange(start, start + n)}
        if sample_weight is None:
            return cls(table, y, np.broadcast_to(1.0, n), **place)
        refuse_masked_weights(sample_weight)
        weights = check_sample_weight(
            sample_weight, np.empty((n, 1)), dtype=np.float64, ensure_non_negative=True
        )
        return cls(table, y, _as_copies(weights, is_chunk), **place).of_weight()

    def of_weight(self, factors=1.0):
        """The rows of positive weight, with their weights times `factors`."""
        samples = replace(self, weights=self.weights * factors)
        used = np.flatnonzero(samples.weights > 0)
        return samples if len(used) == len(self.weights) else samples.rows(used)

    def rows(self, at):
        """The rows at these positions."""
        outcome = None if self.outcome is None else self.outcome[at]
        places = None if self.places is None else self.places[at]
        table = take(self.table, at)
        others = outcome, self.target, self.start, places
        return Samples(table, self.y[at], self.weights[at], *others)

    def split(self, fraction, rng):
        """The rows to learn from, and a fraction of them that is held out.

        Without a generator the last rows are held out.
        """
        n = len(self.weights)
        n_held_out = int(round(fraction * n))
        refuse_split(n_held_out, n, fraction)
        order = np.arange(n)[::-1] if rng is None else rng.permutation(n)
        learned, held_out = np.sort(order[n_held_out:]), np.sort(order[:n_held_out])
        return self.rows(learned), self.rows(held_out)

    def observations(self, encoded):
        """The rows as they were encoded, with their outcomes and weights."""
        codes, numbers, blend = encoded
        return Observations(codes, numbers, self.outcome, self.weights, blend)

    def encode(self, columns, with_bins, *limits):
        """Learn an encoder from the rows; return it and the encoded rows.

        Parameters
        ----------
        columns : dict
            The parameters that say what the columns are, by name.
        with_bins : bool
            Whether numbers come as codes of bins, too.
        *limits
            `min_frequency` and `max_categories`.
        """
        encoder = self.chosen(columns, with_bins)
        encoded = encoder.fit_transform(self.table, self.weights, *limits)
        if encoder.slopes:
            encoder, encoded = self._with_origins(encoder, encoded)
        crosses = self._crosses(columns["crosses"], encoder, encoded)
        encoder, encoded = encoder.crossed(encoded, crosses, self.weights)
        return encoder, self.observations(encoded)

    def _with_origins(self, encoder, encoded):
        """The encoder with slopes counted from where levels are independent of them."""
        lines = [one for one in encoder.slopes if not one.is_curve]
        if not lines:
            return encoder, encoded
        single = [k for k in range(len(encoder.readers)) if encoder.can_be_crossed(k)]
        at = [
            encoded.blend.slots.of_block(block)[0]
            for block, one in encoder.slope_blocks
            if not one.is_curve
        ]
        found = origins(
            encoder.codes_by_column(encoded),
            [single.index(one.column) for one in lines],
            encoded.blend.factors[:, at],
            self.outcome,
            self.weights,
        )
        return encoder.counted_from(encoded, dict(zip(lines, found, strict=True)))

    def chosen(self, columns, with_bins):
        """An encoder that knows which columns there are, and has learned nothing yet.

        Parameters: see `encode`.
        """
        names = feature_names(self.table)
        mask = choose_categorical(self.table, columns["categorical_features"], names)
        several = columns["multi_valued_features"], columns["combiner"]
        readers, mask = choose_multi_valued(self.table, *several, names, mask)
        named = len(mask), names
        groups, mask = choose_shared(columns["shared_features"], *named, mask)
        chains, mask = choose_hierarchy(columns["hierarchy"], *named, mask)
        frames, mask = choose_described(columns["token_features"], *named, mask)
        pairs = {}
        for name in VARYING:
            pairs[name], mask = choose_slopes(columns[name], *named, mask, name)
        crosses, mask = choose_crosses(columns["crosses"], *named, mask)
        refuse_both(frames, chains, readers, groups, pairs, crosses, names)
        place = np.cumsum(mask) - 1  # among the columns of tokens
        return FeatureEncoder(
            mask,
            with_bins,
            [readers[at] for at in np.flatnonzero(mask)],
            [Shared(tuple(place[group].tolist())) for group in groups],
            levels_of(chains, place),
            [
                token_features(int(place[at]), frame, name)
                for at, (name, frame) in frames.items()
            ],
            [
                slope
                for name, waves in VARYING.items()
                for slope in slopes_of(pairs[name], mask, names, name, waves)
            ],
        )

    def _crosses(self, wanted, encoder, encoded):
        """Pairs of columns to be crossed, by positions among those of tokens.

        "auto" has those of single tokens whose pairs have effects of their own.
        """
        is_token = encoder.is_categorical
        pairs, _ = choose_crosses(
            wanted, len(is_token), feature_names(self.table), is_token
        )
        if not isinstance(pairs, str):
            place = np.cumsum(is_token) - 1
            return [tuple(place[list(pair)].tolist()) for pair in pairs]
        single = [k for k in range(len(encoder.readers)) if encoder.can_be_crossed(k)]
        if len(single) < 2:
            return []
        codes = encoder.codes_by_column(encoded)
        pairs = telling_pairs(codes, self.outcome, self.weights, len(single))
        return [(single[a], single[b]) for a, b in pairs]

    def encode_more(self, encoder):
        """Add the new tokens to an encoder; return the new one and the encoded rows."""
        encoder, encoded = encoder.grow_transform(self.table, self.weights)
        return encoder, self.observations(encoded)

    def encode_by(self, encoder):
        """Encode by an encoder as it is."""
        return self.observations(encoder.transform(self.table))


def together(parts):
    """Pieces of a source as one."""
    return replace(
        parts[0],
        table=frames.stacked([part.table for part in parts]),
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("y", "weights", "outcome", "places")
        },
    )


def refuse_split(n_held_out, n, fraction):
    """Raise if of `n` rows none are held out, or none are left to learn from."""
    if n_held_out < 1 or n_held_out >= n:
        raise ValueError(
            f"early_stopping=True leaves {n_held_out} of {n} rows to stop by and "
            f"{n - n_held_out} to learn from, at a validation_fraction of "
            f"{fraction}; both must be at least 1."
        )


def _as_copies(weights, is_chunk):
    """Weights where k stands for k copies of a row; see `copies_per_weight`."""
    total, n = weights.sum(), int((weights > 0).sum())
    factor = copies_per_weight(total, n, is_chunk)
    return weights if factor == 1.0 else weights * factor


def copies_per_weight(total, n, is_chunk=False):
    """What weights are multiplied by, so that k stands for k copies of a row.

    Weights that sum to 1 are shares, as AdaBoost and surveys have them: they are scaled
    to sum to the number of rows, as less than one row in all could teach nothing. Those
    of a chunk are as they are: rows before and after it weigh, too.

    Parameters
    ----------
    total : float
        Their sum.
    n : int
        Number of rows of positive weight.
    is_chunk : bool
    """
    if total > settings.MAX_WEIGHT:
        raise ValueError(
            f"sample_weight sums to {total:.3g} for {n} rows. A weight of k counts as "
            f"k copies of a row, and there may be {settings.MAX_WEIGHT:.0e} of them at "
            "most: divide the weights, for example by their mean."
        )
    if is_chunk:
        return 1.0
    if 0 < total <= 1.0 + 1e-6:
        return n / total
    if total < settings.LEAST_MEAN_WEIGHT * n:
        warnings.warn(
            f"sample_weight sums to {total:.3g} for {n} rows. A weight of k counts as "
            "k copies of a row, so little is learned from these. Where they are "
            f"relative, multiply them by {n / total:.3g}, so that their mean is 1.",
            UserWarning,
            stacklevel=2,
        )
    return 1.0

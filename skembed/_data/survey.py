"""The first pass over rows that are not held: tokens counted, and a sample of the rows.

What has to be exact of all rows is counted: tokens, their weights, extremes and missing
values. Scales and quantiles of numbers and of the outcome are those of the sample.
"""

from copy import copy
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .ahead import ahead
from .cells import joined
from .columns import read
from .factorize import IntegerCounts, counted
from .labelled import counted_from
from .numbers import NumberScale, bins_each
from .samples import together
from .sources import rows_at_once
from .tokens import TokenIndex


class Tally:
    """Distinct tokens of a column with their weights, added piece by piece."""

    def __init__(self):
        self._parts = []
        self._of_range = None  # the `IntegerCounts` of most, where there can be some
        self._n_parts, self._n_merged = 0, 0  # tokens not merged yet, and at the last
        self.missing, self.has_missing = 0.0, False

    def add(self, uniques, counts, missing, has_missing):
        """Add canonical, distinct tokens, and the weight of the missing ones."""
        self.missing += missing
        self.has_missing |= has_missing
        if not len(uniques):
            return
        if self._of_range is not None and self._of_range.takes(uniques, counts):
            return
        self._parts.append((uniques, counts))
        self._n_parts += len(uniques)
        # Each token is merged a few times only, however many pieces come.
        if self._n_parts > max(self._n_merged, settings.TALLY_LEAST):
            self._merge()
            self._of_range = IntegerCounts.of(*self._parts[0])
            if self._of_range is not None:
                self._parts = []

    def more(self, other):
        """What both have counted."""
        both = Tally()
        for one in (self, other):
            one._merge()
            for part in one._parts:
                both.add(*part, 0.0, False)
        both.missing = self.missing + other.missing
        both.has_missing = self.has_missing or other.has_missing
        return both

    def __getstate__(self):
        self._merge()
        return vars(self)

    def _merge(self):
        """Leave one part at most, which holds all."""
        if self._of_range is not None:
            self._parts.insert(0, self._of_range.found())
            self._of_range = None
        if len(self._parts) > 1:
            uniques, counts = zip(*self._parts, strict=True)
            self._parts = [counted(_stacked(uniques), np.concatenate(counts))[:2]]
        self._n_merged = len(self._parts[0][0]) if self._parts else 0
        self._n_parts = 0

    def index(self, min_frequency, max_categories, total):
        """The vocabulary of the column."""
        self._merge()
        uniques, counts = self._parts[0] if self._parts else (np.zeros(0), np.zeros(0))
        self._parts = []
        counts = np.append(counts, self.missing)
        seen = np.append(np.ones(len(uniques), bool), self.has_missing)
        limits = min_frequency, max_categories
        return TokenIndex.of_counts(uniques, counts, seen, *limits, total)[0]


def _stacked(arrays):
    """Arrays of canonical cells as one."""
    first = arrays[0]
    if first.dtype.kind in "biufmM" and {a.dtype for a in arrays} == {first.dtype}:
        return np.concatenate(arrays)
    # By halves: every cell is copied a few times only.
    while len(arrays) > 1:
        pairs = [arrays[i : i + 2] for i in range(0, len(arrays), 2)]
        arrays = [joined(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return arrays[0]


class Survey:
    """What the rows of a source hold, as far as an encoder has to know it.

    Parameters
    ----------
    encoder : FeatureEncoder
        Which columns there are; not yet learned.
    is_float : list of bool
        Which columns held floating point numbers where this was decided.
    n_wanted : int
        Rows that are to come.
    seed : int
        Of the sample: about `settings.SURVEY_ROWS` rows, fewer of wide tables, each as
        likely as any other.
    place : tuple of int, default=()
        Of these rows among others that are surveyed elsewhere.

    Attributes
    ----------
    n_rows : int
        Rows of positive weight.
    total : float
        Sum of their weights.
    """

    def __init__(self, encoder, is_float, n_wanted, seed, place=()):
        self.encoder, self.is_float = encoder, is_float
        self.seed = [seed, *place]
        n = rows_at_once(settings.SURVEY_ROWS, len(encoder.is_categorical))
        n = max(n, min(settings.SURVEY_ROWS, settings.SURVEY_LEAST))
        self.share = n / max(n_wanted, 1)
        n_tokens = int(np.sum(encoder.is_categorical))
        self.tallies = [Tally() for _ in range(n_tokens)]
        self.ranges = [_Range() for _ in range(len(encoder.is_categorical) - n_tokens)]
        self.n_rows, self.total, self._kept = 0, 0.0, []

    def run(self, parts):
        """Look at all rows, `Samples` after `Samples`."""
        for found in ahead(self._seen, enumerate(parts)):
            for tally, own in zip(self.tallies, found.tokens, strict=True):
                tally.add(*own)
            for known, own in zip(self.ranges, found.numbers, strict=True):
                known.add(*own)
            self.n_rows += found.n_rows
            self.total += found.total
            self._kept.append(found.sample)
        return self

    def more(self, other):
        """What both surveys have seen, of different rows."""
        both = copy(self)
        pairs = zip(self.tallies, other.tallies, strict=True)
        both.tallies = [a.more(b) for a, b in pairs]
        pairs = zip(self.ranges, other.ranges, strict=True)
        both.ranges = [a.more(b) for a, b in pairs]
        both.n_rows = self.n_rows + other.n_rows
        both.total = self.total + other.total
        both._kept = self._kept + other._kept
        return both

    def _seen(self, numbered):
        number, samples = numbered
        with counted_from(samples.start):
            columns, values = self.encoder._read(samples.table)
            self._refuse_floats(samples.table)
            tokens = [column.counted(samples.weights) for column in columns]
        n = len(samples.weights)
        drawn = np.random.default_rng([*self.seed, number]).random(n) < self.share
        return _Seen(
            tokens,
            [_range(own) for own in values],
            n,
            float(samples.weights.sum()),
            samples.rows(np.flatnonzero(drawn)),
        )

    def _refuse_floats(self, table):
        """Raise if a column of tokens holds floating point numbers here only."""
        if self.is_float is None:
            return
        flags = zip(
            read(table), self.encoder.is_categorical, self.is_float, strict=True
        )
        for column, is_token, was_float in flags:
            if is_token and not was_float and column.is_float:
                if not np.isnan(column.floats()).all():
                    raise ValueError(
                        f"The column {column.name!r} holds floating point numbers in a "
                        "later table, and none in the first: say what it is, by "
                        "categorical_features, or give it one type."
                    )

    def sample(self):
        """Some of the rows, as `Samples`."""
        parts, self._kept = self._kept, []
        return together(parts)

    def learned(self, sample, min_frequency, max_categories):
        """The encoder, which then knows the tokens of all rows and their numbers."""
        encoder, limits = self.encoder, (min_frequency, max_categories)
        encoder.tokens = [tally.index(*limits, self.total) for tally in self.tallies]
        values = encoder._read(sample.table)[1]
        most = bins_each(len(values))
        encoder.scales = [
            known.scale(own, sample.weights, most)
            for known, own in zip(self.ranges, values, strict=True)
        ]
        return encoder


class _Seen(NamedTuple):
    """What one piece holds."""

    tokens: list
    numbers: list
    n_rows: int
    total: float
    sample: object


class _Range:
    """Extremes of a number over all rows, and whether some are missing."""

    def __init__(self):
        self.low, self.high, self.has_missing = np.inf, -np.inf, False

    def add(self, low, high, has_missing):
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.has_missing |= has_missing

    def more(self, other):
        """That of both."""
        both = _Range()
        for one in (self, other):
            both.add(one.low, one.high, one.has_missing)
        return both

    def scale(self, values, weights, most_bins):
        """Scale from the values of a sample, with the range of all rows."""
        more = [] if self.low > self.high else [self.low, self.high]
        more += [np.nan] * self.has_missing
        almost_none = np.full(len(more), 1e-9)
        return NumberScale(
            np.concatenate([values, more]),
            np.concatenate([weights, almost_none]),
            most_bins,
        )


def _range(values):
    missing = np.isnan(values)
    has_missing = bool(missing.any())
    known = values[~missing] if has_missing else values
    return known.min(initial=np.inf), known.max(initial=-np.inf), has_missing

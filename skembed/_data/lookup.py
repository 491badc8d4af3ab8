"""Where a value stands in a vocabulary: one rule for fit, prediction and questions."""

import numpy as np

from .cells import EXACT, NANOSECONDS, TEXT, as_objects, key, kinds_of
from .factorize import factorize, shifted_by_least, widest

_INT64_MAX = np.iinfo(np.int64).max


class Vocabulary:
    """Distinct tokens, and the position of any value among them.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,)
        In any order; one of them may be missing.
    """

    def __init__(self, tokens):
        self.tokens = tokens
        self._known = None  # canonical tokens, sorted where they have a common kind
        self._place = None  # their positions among `tokens`, the missing one last
        self._position_of = None  # by key, made when first needed
        self._of_range = None  # of every integer from the least token on

    @property
    def missing(self):
        """Position of the missing value, -1 where it is no token."""
        self._prepare()
        return int(self._place[-1])

    def positions(self, uniques):
        """Position of each of these canonical values, -1 where it is not known."""
        self._prepare()
        if self._of_range is not None and uniques.dtype.kind in "iu":
            return self._of_integers(uniques)
        if _comparable(self._known, uniques):
            at = _bisected(self._known, uniques)
            return np.where(at < 0, -1, self._place[at])
        if self._position_of is None:
            keys = _keys(self._known)
            self._position_of = dict(zip(keys, self._place.tolist(), strict=False))
        find = self._position_of.get
        return np.array([find(k, -1) for k in _keys(uniques)], dtype=np.int64)

    def codes(self, values):
        """Position of every value of a column, -1 where it is not known.

        Parameters
        ----------
        values : ndarray of shape (n_rows,), or what else `factorize` takes
        """
        at, rows = self.found(values)
        return at[rows]

    def found(self, values):
        """Positions of some values, and of a missing one; and which of them rows have.

        Parameters
        ----------
        values : ndarray of shape (n_rows,), or what else `factorize` takes

        Returns
        -------
        at : ndarray of int of shape (n + 1,)
            Positions, -1 where the value is not known; that of a missing one is the
            last.
        rows : ndarray of int of shape (n_rows,), or slice
            Which of these each row has.
        """
        self._prepare()
        if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
            if self._of_range is not None:  # then equal rows need not be found first
                at = np.append(self.positions(values), np.int32(-1))
                return at, slice(0, len(values))
        row_codes, uniques = factorize(values)
        return np.append(self.positions(uniques), self.missing), row_codes

    def _prepare(self):
        if self._known is not None:
            return
        codes, known = factorize(self.tokens)
        place = np.full(len(known) + 1, -1, dtype=np.int64)
        place[codes[::-1]] = np.arange(len(codes))[::-1]
        self._known, self._place = known, place
        if known.dtype.kind in "iu" and len(known):
            shifted = shifted_by_least(known)
            if shifted is not None:
                self._of_range = np.full(shifted.max() + 1, -1, np.int32)
                self._of_range[shifted] = place[:-1]

    def _of_integers(self, values):
        wide = widest(self._known)
        values, possible = _as_integers(values, wide)
        # What is less than the least goes round, to the largest of all.
        shifted = (values - wide(self._known[0])).view(np.uint64)
        outside = ~((shifted < len(self._of_range)) & possible)
        if not outside.any():
            return self._of_range[shifted.view(np.int64)]
        shifted[outside] = 0
        at = self._of_range[shifted.view(np.int64)]
        at[outside] = -1
        return at

    def __getstate__(self):
        return {"tokens": self.tokens}

    def __setstate__(self, state):
        self.__init__(**state)


def _keys(values):
    cells = as_objects(values)
    return cells if kinds_of(cells) <= {TEXT} else [key(cell) for cell in cells]


def _comparable(known, values):
    kinds = {known.dtype.kind, values.dtype.kind}
    return kinds <= set("biuf") or kinds in ({"m"}, {"M"})


def _bisected(known, values):
    """Position of each value among sorted ones, -1 where there is none."""
    if len(known) == 0:
        return np.full(len(values), -1)
    if known.dtype.kind in "mM":
        values, possible = _in_unit_of(known, values)
    elif known.dtype.kind == "f":
        values, possible = _as_floats(values)
    else:
        known = known.astype(widest(known), copy=False)
        values, possible = _as_integers(values, known.dtype)
    at = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.where((known[at] == values) & possible, at, -1)


def _in_unit_of(known, values):
    have = NANOSECONDS[np.datetime_data(values.dtype)[0]]
    want = NANOSECONDS[np.datetime_data(known.dtype)[0]]
    counts = values.view(np.int64)
    if have <= want:
        counts, rest = np.divmod(counts, want // have)
        return counts.view(known.dtype), rest == 0
    factor = have // want
    possible = np.abs(counts) <= _INT64_MAX // factor
    return np.where(possible, counts * factor, 0).view(known.dtype), possible


def _as_floats(values):
    if values.dtype.kind == "f":
        return values, True
    possible = (
        (values > -EXACT) & (values < EXACT) if values.dtype.kind != "b" else True
    )
    return values.astype(np.float64), possible


def _as_integers(values, dtype):
    """Whole numbers in this 64-bit type, and which of them it holds."""
    kind, possible = values.dtype.kind, True
    if kind == "f":
        possible = (np.abs(values) < EXACT) & (values == np.floor(values))
        values = np.where(possible, values, 0.0).astype(np.int64)
        kind = "i"
    if dtype == np.uint64 and kind == "i":
        possible = possible & (values >= 0)
    elif dtype == np.int64 and kind == "u":
        possible = possible & (values <= np.uint64(_INT64_MAX))
    return values.astype(dtype), possible

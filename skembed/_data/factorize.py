"""A column -> codes of its distinct cells, in canonical form.

Each kind of column is read in the way that is fastest for it. The result does not
depend on the way, except for the order of the distinct cells.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import _settings as settings
from .cells import (
    DURATION,
    FLOAT,
    INT,
    TEXT,
    TIME,
    Refused,
    is_missing,
    key,
    kinds_of,
    settled,
    settled_times,
)


class Masked(NamedTuple):
    """Values, and which of them are missing: those are ignored."""

    values: np.ndarray
    missing: np.ndarray


class Indexed(NamedTuple):
    """Codes into a dictionary of any values, -1 for missing."""

    codes: np.ndarray
    dictionary: np.ndarray


class Distinct(NamedTuple):
    """Codes into values known to be canonical and distinct already."""

    codes: np.ndarray
    uniques: np.ndarray


@dataclass(frozen=True, eq=False)
class Coded:
    """Cells as codes into distinct values; reads as a column.

    Attributes
    ----------
    name : object
        Of the column, as messages have it.
    codes : ndarray of int of shape (n_cells,)
        -1 for missing.
    uniques : ndarray
    """

    name: object
    codes: np.ndarray
    uniques: np.ndarray

    def factorize(self):
        """Codes and distinct values, as those of a `Column`."""
        return self.codes, self.uniques

    def found_in(self, vocabulary):
        """Positions of values in a vocabulary, as `Vocabulary.found` gives them."""
        return vocabulary.found(Distinct(self.codes, self.uniques))


class Nested(NamedTuple):
    """Lists of values: one below the other, and the row that each is in."""

    values: object  # what `factorize` takes
    rows: np.ndarray
    n_rows: int
    kind: str  # as messages have it
    amounts: np.ndarray | None = None


def factorize(values):
    """Codes (n_rows,), -1 for missing, and the distinct canonical values.

    The distinct values come in no particular order and may include values that no row
    holds (an unused category, say).

    Parameters
    ----------
    values : ndarray of shape (n_rows,), Masked, Indexed or Distinct
    """
    if isinstance(values, Distinct):
        return values
    if isinstance(values, Nested):
        raise nested(values.kind)
    if isinstance(values, Indexed):
        at, uniques = factorize(values.dictionary)
        return np.append(at, -1)[values.codes], uniques
    if isinstance(values, Masked):
        return _factorize_masked(*values)
    kind = values.dtype.kind
    if kind == "b":
        return values.astype(np.int8), np.array([False, True])
    if kind in "iu":
        return _factorize_integers(values)
    if kind in "fmM":
        return _factorize_sortable(values)
    return _factorize_objects(values)


def counted(values, weights):
    """Distinct canonical values, their weights, and that of missing cells.

    Parameters
    ----------
    values : ndarray of shape (n_rows,), or what else `factorize` takes
    weights : ndarray of shape (n_rows,)
        Positive.

    Returns
    -------
    uniques : ndarray of shape (n,)
        In no particular order; of each there is a row.
    counts : ndarray of shape (n,)
    missing : float
    has_missing : bool
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and len(values):
        return *_counted_integers(values, weights), 0.0, False
    codes, uniques = factorize(values)
    n = len(uniques)
    counts = np.bincount(np.where(codes < 0, n, codes), weights, n + 1)
    missing, kept = float(counts[n]), np.flatnonzero(counts[:n])
    if len(kept) < n:
        uniques = uniques[kept]
    return uniques, counts[kept], missing, missing > 0.0


class IntegerCounts:
    """Weights of integers that lie close to each other, in a table of their range.

    Attributes
    ----------
    least : integer
        Of all, in their own type.
    counts : ndarray of float64 of shape (n,)
        Of every integer from the least on; 0 where it is not there.
    """

    def __init__(self, least, counts):
        self.least, self.counts = least, counts

    @classmethod
    def of(cls, values, weights):
        """Table of some values, at least one; None where it would be a wide one."""
        shifted = shifted_by_least(values) if values.dtype.kind in "iu" else None
        if shifted is None:
            return None
        return cls(values.min(), np.bincount(shifted, weights))

    def takes(self, uniques, weights):
        """Add distinct values, where all of them lie in the range; say whether."""
        if uniques.dtype != self.least.dtype or uniques.min() < self.least:
            return False
        if int(uniques.max()) - int(self.least) >= len(self.counts):
            return False
        self.counts[_shifted(uniques, self.least)] += weights
        return True

    def found(self):
        """The values that there are, in their order, and their weights."""
        kept = np.flatnonzero(self.counts)
        return _from_least(kept, self.least), self.counts[kept]


def _counted_integers(values, weights):
    table = IntegerCounts.of(values, weights)
    if table is not None:
        return table.found()
    if (weights == weights[0]).all():  # sorting values is faster than ordering rows
        uniques, counts = np.unique(values, return_counts=True)
        return uniques, counts * weights[0]
    uniques, codes = np.unique(values, return_inverse=True)
    return uniques, np.bincount(codes, weights)


def nested(kind):
    """What is wrong with a column of lists where one token per cell is needed."""
    return Refused(
        f"holds nested values ({kind}); one token per cell is needed", TypeError
    )


def _factorize_masked(values, missing):
    if not missing.any():
        return factorize(values)
    known_codes, uniques = factorize(values[~missing])
    codes = np.full(len(values), -1, dtype=np.int64)
    codes[~missing] = known_codes
    return codes, uniques


def _factorize_integers(values):
    if len(values) == 0:
        return values.astype(np.int64), values
    shifted = shifted_by_least(values)
    if shifted is None:
        uniques, codes = np.unique(values, return_inverse=True)
        return codes, uniques
    seen = np.zeros(shifted.max() + 1, dtype=bool)
    seen[shifted] = True
    code_of = np.cumsum(seen, dtype=np.int32) - 1
    return code_of[shifted], _from_least(np.flatnonzero(seen), values.min())


def shifted_by_least(values):
    """Integers minus the least of them, None where they are far apart.

    Where they are not, a table of their range is several times faster than sorting.
    """
    least, greatest = values.min(), values.max()
    if int(greatest) - int(least) >= 4 * len(values) + 1000:
        return None
    return _shifted(values, least)


def _shifted(values, least):
    # In 64 bits: int8 cannot hold the range of int8.
    wide = widest(values)
    return (values.astype(wide, copy=False) - wide(least)).astype(np.int64, copy=False)


def widest(integers):
    """The type of 64 bits that holds integers of this type."""
    return np.uint64 if integers.dtype.kind == "u" else np.int64


def _from_least(shifted, least):
    """Integers as they were before they were counted from the least of them."""
    wide = widest(least)
    return (shifted.astype(wide) + wide(least)).astype(least.dtype)


def _factorize_sortable(values):
    """Floats and dates: NaN and NaT are missing, -0.0 and 0.0 one token."""
    missing = values != values
    known = values[~missing]
    if values.dtype.kind == "f":
        known = known.astype(np.float64, copy=False) + 0.0
    uniques, codes = np.unique(known, return_inverse=True)
    if values.dtype.kind != "f":
        uniques = settled_times(uniques)
    out = np.full(len(values), -1, dtype=np.int64)
    out[~missing] = codes
    return out, uniques


def _factorize_objects(values):
    cells = values.tolist()
    kinds = kinds_of(cells)
    if len(cells) >= settings.ARROW_ROWS and TEXT in kinds and kinds <= {TEXT, FLOAT}:
        encoded = _factorize_strings(values)
        if encoded is not None:
            return encoded
    codes, found = _hashed(cells, by_key={FLOAT, INT} <= kinds)
    missing = np.fromiter(map(is_missing, found), dtype=bool, count=len(found))
    known = [cell for cell in found if not is_missing(cell)] if missing.any() else found
    uniques = settled(known)
    at = np.full(len(found) + 1, -1, dtype=np.int64)
    at[:-1][~missing], uniques = _merged(uniques)
    return at[codes], uniques


def _hashed(cells, by_key):
    """Codes of the cells that Python calls different, and these cells.

    `by_key` where Python may call equal what is not: large floats and integers.
    """
    code_of, found, codes = {}, [], np.empty(len(cells), dtype=np.int64)
    if not by_key:
        try:
            for i, cell in enumerate(cells):
                codes[i] = code_of.setdefault(cell, len(code_of))
            return codes, list(code_of)
        except TypeError:  # lists, dicts
            code_of.clear()
    for i, cell in enumerate(cells):
        known = None if is_missing(cell) else key(cell)
        code = codes[i] = code_of.setdefault(known, len(code_of))
        if code == len(found):
            found.append(cell)
    return codes, found


def _merged(values):
    """Codes of canonical values into the distinct ones among them."""
    if values.dtype.kind != "O":
        uniques, at = np.unique(values, return_inverse=True)
        return at, uniques
    cells = values.tolist()
    if kinds_of(cells) == {TEXT}:
        return np.arange(len(cells)), values
    code_of = {}
    at = np.array([code_of.setdefault(key(c), len(code_of)) for c in cells], np.int64)
    if len(code_of) == len(cells):
        return at, values
    first = np.empty(len(code_of), dtype=np.int64)
    first[at[::-1]] = np.arange(len(cells))[::-1]
    return at, values[first]


def _factorize_strings(values):
    """Arrow's encoder for strings and missing values; None where it cannot serve."""
    try:
        import pyarrow as pa
    except ImportError:
        return None
    try:
        array = pa.array(values, type=pa.large_string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeError):
        return None
    array = array.dictionary_encode()
    uniques = np.empty(len(array.dictionary), dtype=object)
    uniques[:] = array.dictionary.to_pylist()
    return array.indices.fill_null(-1).to_numpy(zero_copy_only=False), uniques


# Numbers of a column.


def floats(values):
    """The values as float64 with NaN for missing; times and durations as days.

    Raises
    ------
    NotANumber
        Where a cell is none.
    """
    if isinstance(values, Nested):
        raise nested(values.kind)
    if isinstance(values, (Indexed, Distinct)):
        codes, dictionary = values
        try:
            found = floats(dictionary)
        except NotANumber as error:
            rows = np.flatnonzero(codes == error.row)
            if len(rows):
                raise NotANumber(error.cell, int(rows[0])) from None
            used = np.unique(codes[codes >= 0])
            found = np.full(len(dictionary), np.nan)
            found[used] = floats(dictionary[used])
        return np.append(found, np.nan)[codes]
    if isinstance(values, Masked):
        found = np.full(len(values.values), np.nan)
        found[~values.missing] = floats(values.values[~values.missing])
        return found
    kind = values.dtype.kind
    if kind in "fbiu":
        with np.errstate(over="ignore"):  # infinity is refused later, by name
            return values.astype(np.float64, copy=False)
    if kind in "mM":
        return _days(values)
    cells = values.tolist()
    if kinds_of(cells) & {TIME, DURATION}:
        codes, uniques = factorize(values)
        if uniques.dtype.kind in "mM":
            return np.append(_days(uniques), np.nan)[codes]
    out = np.empty(len(cells))
    for i, cell in enumerate(cells):
        try:
            out[i] = np.nan if is_missing(cell) else float(cell)
        except (TypeError, ValueError, ArithmeticError):
            raise NotANumber(cell, i) from None
    return out


class NotANumber(ValueError):
    """A cell of a numeric column that is no number."""

    def __init__(self, cell, row):
        super().__init__(cell, row)
        self.cell, self.row = cell, row


def _days(values):
    missing = np.isnat(values)
    known = settled_times(values[~missing])
    unit = np.datetime_data(known.dtype)[0]
    counts = known.view(np.int64)
    if unit == "ns":
        counts = counts // 1000
    days = np.full(len(values), np.nan)
    days[~missing] = counts / (1.0 if unit == "D" else 86_400e6)
    return days

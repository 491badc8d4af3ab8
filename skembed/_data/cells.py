"""The canonical form of a cell: one value, one form, whatever table it came in.

Two cells are one token where their canonical forms are equal:

- numbers where Python calls them equal: 1, 1.0 and True are one, "1" is another. A
  float of 2**53 or more equals floats only: floats do not tell whole numbers apart
  there.
- dates, times with and without a time zone and durations where they are the same
  instant or length, whatever their unit; a time without a zone is read as UTC, a date
  as its midnight.
- None, NaN, pandas.NA, NaT and what a mask hides are one token, "missing"; "" is a
  token like any other, and bytes never equal text.
- what cannot be hashed (lists, dicts) is compared by how Python prints it.

Distinct cells stand in an array of their kind where they all have one (bool, integer,
float64, datetime64, timedelta64), else in an array of Python objects.
"""

import datetime
from decimal import Decimal

import numpy as np

MISSING = None  # how a missing value is written among tokens of type object

# Floats from here on stand for more than one whole number each.
EXACT = 2**53

NANOSECONDS = {
    "W": 604_800 * 10**9,
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
_FINER = {"ps": 10**3, "fs": 10**6, "as": 10**9}  # of a nanosecond
_INT64 = np.iinfo(np.int64)
_EPOCH = datetime.datetime(1970, 1, 1)
_TICK = datetime.timedelta(microseconds=1)

# What a cell can be. Those of the first row have arrays of their own.
BOOL, INT, FLOAT, TIME, DURATION = "bool", "int", "float", "time", "duration"
TEXT, DECIMAL, OTHER, ABSENT = "text", "decimal", "other", "absent"
_NUMBERS = {BOOL, INT, FLOAT, DECIMAL}


class Refused(Exception):
    """What is wrong with a column, in words that follow its name, and the error due."""

    def __init__(self, what, error=ValueError):
        super().__init__(what)
        self.error = error

    def named(self, name):
        """The error for the column of this name."""
        return self.error(f"Column {name!r} of X {self}.")


_kinds = {type(None): ABSENT, type(np.ma.masked): ABSENT}  # by type, as they are met


def kind_of(kind):
    """What the cells of a Python type are; a missing value may be among any."""
    found = _kinds.get(kind)
    if found is None:
        found = _kinds[kind] = _find_kind(kind)
    return found


def _find_kind(kind):
    for types, found in (
        ((bool, np.bool_), BOOL),
        ((np.timedelta64, datetime.timedelta), DURATION),  # NumPy's is an integer
        ((np.datetime64, datetime.date), TIME),
        ((int, np.integer), INT),
        ((float, np.floating), FLOAT),
        (str, TEXT),
        (Decimal, DECIMAL),
    ):
        if issubclass(kind, types):
            return found
    return ABSENT if kind.__name__ in ("NAType", "NaTType") else OTHER


def kinds_of(cells):
    """The set of kinds of the cells, without missing values of a type of their own.

    NaN, and NaT of NumPy, have the type of values that are there.
    """
    return {kind_of(kind) for kind in set(map(type, cells))} - {ABSENT}


def is_missing(value):
    """None, NaN, pandas.NA, NaT and masked; the empty string is not."""
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, str):
        return False
    if isinstance(value, Decimal):  # a signalling NaN refuses to be compared
        return value.is_nan()
    try:
        return bool(value != value)
    except (TypeError, ValueError, ArithmeticError):  # pandas.NA refuses to be a bool
        return type(value).__name__ == "NAType"


def settled(cells):
    """Cells, none of them missing, in canonical form: an array of the same length.

    What form that is depends on which kinds there are, not on their order.
    """
    kinds = kinds_of(cells)
    if kinds == {BOOL}:
        return np.array(cells, dtype=bool)
    if kinds == {INT} or kinds == {INT, BOOL}:
        return integers([int(cell) for cell in cells])
    if kinds == {FLOAT}:
        return np.array(cells, dtype=np.float64)
    if kinds == {TIME}:
        return times([nanoseconds(cell) for cell in cells])
    if kinds == {DURATION}:
        return durations([nanoseconds(cell) for cell in cells])
    out = np.empty(len(cells), dtype=object)
    if kinds == {TEXT}:
        out[:] = [str.__str__(cell) for cell in cells]
        return out
    out[:] = [_plain(cell) for cell in cells]
    if len(kinds & _NUMBERS) > 1:
        out[:] = [_as_integer(cell) for cell in out.tolist()]
    for kind, together in ((TIME, times), (DURATION, durations)):
        if kind in kinds:
            at = [i for i, cell in enumerate(cells) if kind_of(type(cell)) == kind]
            found = together([nanoseconds(cells[i]) for i in at])
            out[at] = as_objects(found)
    return out


def _plain(cell):
    """A scalar or array of NumPy as Python has it."""
    if isinstance(cell, np.longdouble):
        return float(cell)
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return cell
    if isinstance(cell, np.generic):
        return cell.item()
    if isinstance(cell, np.ndarray):
        return cell.tolist()
    return str.__str__(cell) if isinstance(cell, str) else cell


def _as_integer(cell):
    """The int that a number of another type is equal to, else the cell itself."""
    if isinstance(cell, (bool, float, Decimal)) and -EXACT < cell < EXACT:
        return int(cell) if cell == int(cell) else cell
    return cell


def integers(cells):
    """Python ints as an array of the smallest of int64, uint64 and object."""
    low, high = min(cells, default=0), max(cells, default=0)
    if low >= _INT64.min and high <= _INT64.max:
        return np.array(cells, dtype=np.int64)
    if low >= 0 and high < 2**64:
        return np.array(cells, dtype=np.uint64)
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


def key(cell):
    """What a canonical cell is known by: hashable, and equal for equal cells."""
    kind = kind_of(type(cell))
    if kind == TEXT:
        return cell
    if kind == FLOAT:
        return cell if -EXACT < cell < EXACT else (float, float(cell))
    if kind == TIME:
        return np.datetime64, nanoseconds(cell)
    if kind == DURATION:
        return np.timedelta64, nanoseconds(cell)
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    try:
        hash(cell)
    except TypeError:
        return repr(cell)
    return cell


# Times and durations.


def nanoseconds(cell):
    """Nanoseconds of a duration, or since 1970 of a date or time, as a Python int."""
    for exact in (
        "to_datetime64",
        "to_timedelta64",
    ):  # pandas's are finer than Python's
        if hasattr(cell, exact):
            cell = getattr(cell, exact)()
    if isinstance(cell, (np.datetime64, np.timedelta64)):
        return _of_numpy(cell)
    if isinstance(cell, datetime.timedelta):
        return cell // _TICK * 1000
    if not isinstance(cell, datetime.datetime):
        return (cell.toordinal() - _EPOCH.toordinal()) * NANOSECONDS["D"]
    since = cell.replace(tzinfo=None) - _EPOCH
    offset = cell.utcoffset()
    return (since - offset if offset else since) // _TICK * 1000


def _of_numpy(cell):
    unit, step = np.datetime_data(cell.dtype)
    if unit in ("Y", "M") and cell.dtype.kind == "M":
        cell, unit, step = cell.astype("M8[D]"), "D", 1
    count = int(cell.view(np.int64)) * step
    if unit in NANOSECONDS:
        return count * NANOSECONDS[unit]
    if unit not in _FINER:
        raise Refused(
            "holds durations in months, years or no unit, which have no fixed length; "
            "turn them into days, or into text"
        )
    whole, rest = divmod(count, _FINER[unit])
    if rest:
        raise Refused(
            "holds times finer than nanoseconds; round them, or turn them into text"
        )
    return whole


def times(counts):
    """Nanoseconds since 1970 as datetime64 in days, else micro-, else nanoseconds."""
    return _in_coarsest(counts, "M8", ("D", "us", "ns"))


def durations(counts):
    """Nanoseconds as timedelta64 in microseconds, else nanoseconds."""
    return _in_coarsest(counts, "m8", ("us", "ns"))


def _in_coarsest(counts, kind, units):
    for unit in units:
        size = NANOSECONDS[unit]
        if any(count % size for count in counts):
            continue
        counts = [count // size for count in counts]
        # The least integer is NaT.
        if all(_INT64.min < count <= _INT64.max for count in counts):
            return np.array(counts, dtype=np.int64).view(f"{kind}[{unit}]")
        break
    raise Refused(
        "holds times too far apart for 64 bits at their precision; round them, or turn "
        "them into text"
    )


def settled_times(values):
    """datetime64 or timedelta64 without NaT in canonical units, by whole arrays."""
    kind = values.dtype.kind
    unit, step = np.datetime_data(values.dtype)
    if unit in NANOSECONDS and step == 1 and len(values):
        counts = values.astype(values.dtype.newbyteorder("="), copy=False)
        counts = np.ascontiguousarray(counts).view(np.int64)
        most = max(-int(counts.min()), int(counts.max()))
        for wanted in ("D", "us", "ns") if kind == "M" else ("us", "ns"):
            have, want = NANOSECONDS[unit], NANOSECONDS[wanted]
            if have <= want and not (counts % (want // have)).any():
                return (counts // (want // have)).view(f"{kind}8[{wanted}]")
            if have > want and most <= _INT64.max // (have // want):
                return (counts * (have // want)).view(f"{kind}8[{wanted}]")
    counts = [_of_numpy(value) for value in values]
    return times(counts) if kind == "M" else durations(counts)


def as_objects(values):
    """List of the canonical cells of an array as Python objects.

    Dates, times and durations that Python cannot hold stay scalars of NumPy.
    """
    if values.dtype.kind not in "mM":
        return values.tolist()
    cells = values.tolist()
    if set(map(type, cells)) & {int}:
        return list(values)
    return cells


# Arrays of canonical cells.


def sort_order(values):
    """Order of the tokens: natural where they compare, else by type and text."""
    if values.dtype.kind != "O":
        return np.argsort(values, kind="stable")
    items = values.tolist()
    try:
        order = sorted(range(len(items)), key=items.__getitem__)
    except (TypeError, ArithmeticError):
        order = sorted(
            range(len(items)), key=lambda i: (type(items[i]).__name__, text(items[i]))
        )
    return np.array(order, dtype=np.int64)


def text(cell):
    """The cell as `str` has it; very long integers, which it refuses, in base 16."""
    try:
        return str(cell)
    except ValueError:
        return f"{cell:x}" if isinstance(cell, int) else object.__repr__(cell)


def joined(a, b):
    """Two arrays of canonical cells as one."""
    kind = a.dtype.kind
    if a.dtype == b.dtype and kind in "biufmM":
        return np.concatenate([a, b])
    cells = as_objects(a) + as_objects(b)
    if kinds_of(cells) == {TEXT}:
        out = np.empty(len(cells), dtype=object)
        out[:] = cells
        return out
    return settled(cells)


def with_missing(values):
    """The cells with a missing value after the last."""
    if values.dtype.kind == "f":
        return np.append(values, np.nan)
    if values.dtype.kind in "mM":
        return np.append(values, np.array("NaT", values.dtype))
    out = np.empty(len(values) + 1, dtype=object)
    out[:-1], out[-1] = values.tolist(), MISSING
    return out

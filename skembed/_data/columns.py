"""One way to read the columns of every kind of table.

NumPy arrays, lists of rows, and the tables of pandas, polars and pyarrow all become a
list of :class:`Column`, whose cells have one canonical form (`_data.cells`).
"""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from . import frames
from .cells import (
    BOOL,
    FLOAT,
    INT,
    MISSING,
    Refused,
    as_objects,
    is_missing,
    kinds_of,
)
from .factorize import NotANumber, counted, factorize, floats
from .frames import is_frame
from .several import holds_lists, values_of
from .wording import shown

__all__ = [
    "MISSING",
    "Column",
    "as_table",
    "as_tokens",
    "is_frame",
    "is_missing",
    "read",
    "take",
]


class Column:
    """A column: its name, whether it is floating point, and two ways to read it.

    Parameters
    ----------
    name : object
        Its name or number, as messages have it.
    values : ndarray of shape (n_rows,), or a function
        The cells; a function returns what `factorize` takes.
    is_float : bool
    """

    def __init__(self, name, values, is_float):
        self.name = name
        self.is_float = is_float
        self._values = values

    def factorize(self):
        """Codes (n_rows,) into the distinct values, -1 for missing, and those values.

        The distinct values come in no particular order and may include values that
        no row holds (an unused category, say).
        """
        return self._read_by(factorize)

    def counted(self, weights):
        """Distinct values, their weights, that of missing cells, and if there are any.

        Of each value there is a row; the weights of rows are positive.
        """
        return self._read_by(counted, weights)

    def found_in(self, vocabulary):
        """Positions of values in a vocabulary, as `Vocabulary.found` gives them."""
        return self._read_by(vocabulary.found)

    def _read_by(self, function, *args):
        try:
            return function(self._content(), *args)
        except Refused as refused:
            raise refused.named(self.name) from None

    def floats(self):
        """The column as float64 with NaN for missing; text is refused."""
        content = self._content()
        try:
            values = floats(content)
        except NotANumber as error:
            raise self._not_a_number(error) from None
        except Refused as refused:
            raise refused.named(self.name) from None
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity in the numeric column {self.name!r}, first "
                f"in row {np.argmax(np.isinf(values))}; replace it by a finite number "
                "or by a missing value."
            )
        return values

    @property
    def is_number(self):
        """Whether the cells are numbers or truth values (missing ones aside)."""
        codes, distinct = self.factorize()
        cells = distinct[np.unique(codes[codes >= 0])].tolist()
        return kinds_of(cells) <= {BOOL, INT, FLOAT}

    @property
    def holds_lists(self):
        """Whether the cells are lists of values."""
        try:
            return not self.is_float and holds_lists(self._content())
        except Refused as refused:
            raise refused.named(self.name) from None

    def lists(self):
        """The cells of a column of lists, an array of objects."""
        found = self.several()
        cells = np.empty(found.n_rows, dtype=object)
        for i in range(len(cells)):
            cells[i] = []
        known = found.codes >= 0
        tokens = as_objects(found.uniques)
        pairs = zip(found.rows[known], found.codes[known], strict=True)
        for row, code in pairs:
            cells[row].append(tokens[code])
        return cells

    def several(self, delimiter=None):
        """The values in cells that hold several, as `Values`.

        `delimiter` stands between them in cells of text; None does not split text.
        """
        return self._read_by(values_of, delimiter, self.name)

    def _content(self):
        return self._values() if callable(self._values) else self._values

    def _not_a_number(self, error):
        where = f"in row {error.row} of the numeric column {self.name!r}"
        if isinstance(error.cell, int):
            return ValueError(
                f"The integer {shown(error.cell)} {where} is too large for a float."
            )
        return ValueError(
            f"could not convert string to float: {shown(error.cell)} {where}. Name the "
            "column in categorical_features if its values are tokens."
        )


def as_table(X):
    """`X` itself if it is a data frame, else a checked 2-d NumPy array.

    A list of rows becomes an array of objects, and so every column keeps its kind.
    """
    frames.refuse_other_frames(X)
    if is_frame(X):
        return X
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Tokens are "
            "learned from one column per feature, not from one-hot columns: pass the "
            "columns themselves, or use '.toarray()' for numbers."
        )
    if isinstance(X, np.ma.MaskedArray):
        X = unmasked(X)
    elif isinstance(X, list | tuple):
        X = _of_rows(X)
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind == "T":  # NumPy's strings of any length
        X = X.astype(object)
    elif kind == "c":
        raise ValueError("Complex data not supported: X has a complex dtype.")
    elif kind == "V" and X.dtype.names:
        raise TypeError(
            "X is a structured array; pass a data frame, such as pandas.DataFrame(X)."
        )
    # Infinity is refused where it is read, with the name of its column.
    return check_array(X, dtype=None, ensure_all_finite=False)


def unmasked(X):
    """A masked array as a plain one, with missing values where the mask hides one."""
    mask = np.ma.getmaskarray(X)
    values = np.asarray(X.data)
    if not mask.any():
        return values
    kind = values.dtype.kind
    values = values.copy() if kind in "fmM" else values.astype(object)
    values[mask] = {"f": np.nan, "m": "NaT", "M": "NaT"}.get(kind, MISSING)
    return values


def _of_rows(X):
    """A list of rows as an array of objects: cells stay what they are."""
    rows = [_cells_of(row) for row in X]
    lengths = {-1 if row is None else len(row) for row in rows}
    if -1 in lengths and len(lengths) > 1:
        at = rows.index(None)
        raise ValueError(
            f"X is no table: its row {at} is {shown(X[at])}, while others hold several "
            "cells."
        )
    if -1 in lengths or not rows:
        return np.asarray(X)
    if len(lengths) > 1:
        raise ValueError(
            f"X is no table: its rows have different lengths, {sorted(lengths)}."
        )
    out = np.empty((len(rows), lengths.pop()), dtype=object)
    for j, cells in enumerate(zip(*rows, strict=True)):
        if any(isinstance(cell, list) for cell in cells):
            for i, cell in enumerate(cells):  # NumPy would look into them
                out[i, j] = cell
        else:
            out[:, j] = cells
    return out


def _cells_of(row):
    """The cells of a row, None if it is something else."""
    if isinstance(row, list | tuple):
        return row
    if isinstance(row, np.ma.MaskedArray):
        row = unmasked(row)
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return list(row) if row.dtype.kind in "mM" else row.tolist()
    return None


def read(X):
    """List of the :class:`Column` of a table that :func:`as_table` returned."""
    if is_frame(X):
        return [
            Column(name, content, is_float)
            for name, is_float, content in frames.contents(X)
        ]
    is_float = X.dtype.kind == "f"
    return [
        Column(j, X[:, j], is_float or frames.holds_floats(X[:, j]))
        for j in range(X.shape[1])
    ]


def as_tokens(tokens):
    """A collection of tokens as a one-dimensional array, kinds unchanged."""
    if frames.is_series(tokens):
        return frames.series_values(tokens)
    if isinstance(tokens, np.ma.MaskedArray):
        tokens = unmasked(tokens)
    elif hasattr(tokens, "to_numpy"):
        tokens = tokens.to_numpy()
    if isinstance(tokens, np.ndarray):
        return tokens.reshape(-1)
    tokens = list(tokens)
    array = np.empty(len(tokens), dtype=object)
    array[:] = tokens
    return array


def take(table, rows):
    """Rows of a table, whatever kind it is."""
    return frames.take(table, rows) if is_frame(table) else table[rows]

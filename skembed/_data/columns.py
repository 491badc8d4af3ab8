"""One way to read the columns of every kind of table.

NumPy arrays, lists, and the tables of pandas, polars and pyarrow all become a list of
:class:`Column`. None of the three packages is imported unless such a table came in.
"""

import sys

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .. import _settings as settings

MISSING = None  # how a missing value is written among tokens of type object


class Column:
    """A column: its name, whether it is floating point, and two ways to read it."""

    def __init__(self, name, values, is_float):
        self.name = name
        self.values = values
        self.is_float = is_float

    def factorize(self):
        """Codes (n_rows,) into the distinct values, -1 for missing, and those values.

        The distinct values come in no particular order and may include values that
        no row holds (an unused category, say).
        """
        return _factorize(self.values)

    def floats(self):
        """The column as float64 with NaN for missing; text is refused."""
        values = _as_floats(self.values, self.name)
        if np.isinf(values).any():
            raise ValueError(
                f"Input X contains infinity in the numeric column {self.name!r}; "
                "replace it by a finite number or by a missing value."
            )
        return values


def n_rows(X):
    """Number of samples of a table or array-like."""
    shape = getattr(X, "shape", None)
    return shape[0] if shape else len(X)


def as_table(X):
    """`X` itself if it is a data frame, else a checked 2-d NumPy array."""
    if is_frame(X):
        return X
    if sparse.issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Tokens are "
            "learned from one column a feature, not from one-hot columns: pass the "
            "columns themselves, or use '.toarray()' for numbers."
        )
    dtype = getattr(X, "dtype", None)
    if dtype is None and _holds_objects(X):
        X = _objects(X)
    elif getattr(dtype, "kind", "") == "T":  # NumPy's strings of any length
        X = X.astype(object)
    elif getattr(dtype, "kind", "") == "c":
        raise ValueError("Complex data not supported: X has a complex dtype.")
    return check_array(X, dtype=None, ensure_all_finite="allow-nan")


def read(X, names=None):
    """List of the :class:`Column` of a table that :func:`as_table` returned."""
    if _is_pandas(X):
        return [_pandas_column(X.iloc[:, j]) for j in range(X.shape[1])]
    if _is_polars(X):
        return [_arrow_column(c.name, c.to_arrow(), c) for c in X.get_columns()]
    if _is_arrow(X):
        return [_arrow_column(*pair) for pair in zip(X.column_names, X.columns)]  # noqa: B905
    is_float = X.dtype.kind == "f"
    return [
        Column(j, X[:, j], is_float or _holds_floats(X[:, j]))
        for j in range(X.shape[1])
    ]


def is_frame(X):
    """Whether `X` is a data frame of pandas, polars or pyarrow."""
    return _is_pandas(X) or _is_polars(X) or _is_arrow(X)


def _is_pandas(X):
    module = sys.modules.get("pandas")
    return module is not None and isinstance(X, module.DataFrame)


def _is_polars(X):
    module = sys.modules.get("polars")
    return module is not None and isinstance(X, module.DataFrame)


def _is_arrow(X):
    module = sys.modules.get("pyarrow")
    return module is not None and isinstance(X, module.Table)


def _holds_objects(X):
    """Whether a nested list holds text, by its first rows."""
    try:
        X = X[:100]
    except (TypeError, KeyError):
        pass
    try:
        return np.asarray(X).dtype.kind in "USO"
    except ValueError:  # rows of different lengths
        return True


def _objects(X):
    """Nested lists with text in them as an object array: numbers stay numbers."""
    out = np.array(X, dtype=object)
    if out.ndim == 1 and {list, tuple} & set(map(type, out)):
        lengths = sorted({len(row) for row in out if isinstance(row, (list, tuple))})
        raise ValueError(f"X is no table: its rows have different lengths, {lengths}.")
    return out


def _pandas_column(series):
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Column(series.name, series.array, is_float=False)
    if isinstance(dtype, pd.ArrowDtype):
        return _arrow_column(series.name, series.array.__arrow_array__())
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        return _arrow_column(series.name, series.array.__arrow_array__())
    if isinstance(dtype, pd.SparseDtype):
        series = series.sparse.to_dense()
        dtype = series.dtype
    if pd.api.types.is_extension_array_dtype(dtype):
        is_float = pd.api.types.is_float_dtype(dtype)
        if is_float:
            values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        elif pd.api.types.is_datetime64_any_dtype(dtype):  # with a time zone
            values = series.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        else:
            values = series.to_numpy(dtype=object, na_value=None)
        return Column(series.name, values, is_float)
    values = series.to_numpy()
    _refuse_complex(values, series.name)
    return Column(
        series.name, values, values.dtype.kind == "f" or _holds_floats(values)
    )


def _refuse_complex(values, name):
    if values.dtype.kind == "c":
        raise ValueError(
            f"Complex data not supported: column {name!r} of X is complex."
        )


def _arrow_column(name, values, polars_series=None):
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_floating(kind):
        floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Column(name, floats, is_float=True)
    if pa.types.is_nested(kind):
        raise TypeError(
            f"Column {name!r} of X holds nested values ({kind}); one token a cell is "
            "needed."
        )
    if polars_series is not None and polars_series.dtype == _polars_object():
        return Column(name, polars_series.to_numpy(), is_float=False)
    return Column(name, values, is_float=False)


def _polars_object():
    import polars as pl

    return pl.Object


def _holds_floats(values):
    """Whether an object column holds Python floats only (missing values aside)."""
    if values.dtype.kind != "O":
        return False
    kinds = set(map(type, values)) - {type(None)}
    return bool(kinds) and all(issubclass(k, (float, np.floating)) for k in kinds)


def _is_arrow_array(values):
    module = sys.modules.get("pyarrow")
    return module is not None and isinstance(values, module.Array)


def _is_pandas_categorical(values):
    module = sys.modules.get("pandas")
    return module is not None and isinstance(values, module.Categorical)


def _as_floats(values, name):
    if _is_pandas_categorical(values):
        values = np.asarray(values)
    if _is_arrow_array(values):
        values = _arrow_values(values)
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.dtype.kind in "mM":
        days = values.astype("datetime64[us]" if values.dtype.kind == "M" else "m8[us]")
        floats = days.astype(np.int64) / 86_400e6  # days: a scale people know
        floats[np.isnat(values)] = np.nan
        return floats
    if values.dtype.kind in "biu":
        return values.astype(np.float64)
    out = np.empty(len(values))
    for i, value in enumerate(values):
        try:
            out[i] = np.nan if is_missing(value) else float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"could not convert string to float: {value!r} in row {i} of the "
                f"numeric column {name!r}. Name the column in categorical_features "
                "if its values are tokens."
            ) from None
    return out


def is_missing(value):
    """None, NaN, pandas.NA and NaT; the empty string is a token like any other."""
    if value is None:
        return True
    if isinstance(value, str):
        return False
    try:
        return bool(value != value)
    except (TypeError, ValueError):  # pandas.NA refuses to be a bool
        return type(value).__name__ == "NAType"


def _factorize(values):
    if _is_pandas_categorical(values):
        return np.asarray(values.codes), np.asarray(values.categories)
    if _is_arrow_array(values):
        return _factorize_arrow(values)
    kind = values.dtype.kind
    if kind in "biu":
        return _factorize_integers(values)
    if kind in "fmM":
        return _factorize_sortable(values)
    return _factorize_objects(values)


def _factorize_arrow(values):
    import pyarrow as pa

    if not pa.types.is_dictionary(values.type):
        if pa.types.is_integer(values.type) and values.null_count == 0:
            return _factorize_integers(values.to_numpy(zero_copy_only=False))
        values = values.dictionary_encode()
    codes = values.indices
    if pa.types.is_unsigned_integer(codes.type):  # as polars counts
        codes = codes.cast(pa.int64())
    codes = codes.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes, _arrow_values(values.dictionary)


def _arrow_values(values):
    """An Arrow array in NumPy: dates and whole numbers as such, all else objects."""
    import pyarrow as pa

    kind = values.type
    whole = pa.types.is_integer(kind) and values.null_count == 0
    dates = pa.types.is_temporal(kind) and not pa.types.is_time(kind)
    if whole or dates:
        return values.to_numpy(zero_copy_only=False)
    out = np.empty(len(values), dtype=object)
    out[:] = values.to_pylist()
    return out


def _factorize_integers(values):
    if values.dtype.kind == "b":
        return values.astype(np.int8), np.array([False, True])
    if len(values) == 0:
        return values.astype(np.int64), values
    low, high = int(values.min()), int(values.max())
    kind = values.dtype
    if high - low < 4 * len(values) + 1000:
        # A table of the range is several times faster than sorting the rows.
        # (In 64 bits: int8 cannot hold the range of int8.)
        values = values.astype(np.int64 if kind.kind == "i" else np.uint64, copy=False)
        start = values.dtype.type(low)
        shifted = (values - start).astype(np.int64, copy=False)
        seen = np.zeros(high - low + 1, dtype=bool)
        seen[shifted] = True
        code_of = np.cumsum(seen, dtype=np.int32) - 1
        uniques = np.flatnonzero(seen).astype(values.dtype) + start
        return code_of[shifted], uniques.astype(kind)
    uniques, codes = np.unique(values, return_inverse=True)
    return codes, uniques


def _factorize_sortable(values):
    """Floats and dates: NaN and NaT are missing, -0.0 and 0.0 one token."""
    missing = values != values
    uniques, codes = np.unique(
        values[~missing] + 0.0 if values.dtype.kind == "f" else values[~missing],
        return_inverse=True,
    )
    out = np.full(len(values), -1, dtype=np.int64)
    out[~missing] = codes
    return out, uniques


def _factorize_objects(values):
    if len(values) >= settings.ARROW_ROWS:
        encoded = _factorize_strings(values)
        if encoded is not None:
            return encoded
    values = values.tolist()
    code_of, codes = {}, np.empty(len(values), dtype=np.int64)
    try:
        for i, value in enumerate(values):
            codes[i] = code_of.setdefault(value, len(code_of))
    except TypeError:  # unhashable: lists and dicts count as what they print
        code_of.clear()
        for i, value in enumerate(values):
            key = value if _is_hashable(value) else repr(value)
            codes[i] = code_of.setdefault(key, len(code_of))
    uniques = np.empty(len(code_of), dtype=object)
    uniques[:] = list(code_of)
    missing = np.fromiter(map(is_missing, code_of), dtype=bool, count=len(code_of))
    if missing.any():
        codes[missing[codes]] = -1
    return codes, uniques


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
    return _factorize_arrow(array)


def _is_hashable(value):
    try:
        hash(value)
    except TypeError:
        return False
    return True


def take(table, rows):
    """Rows of a table, whatever kind it is."""
    if not is_frame(table):
        return table[rows]
    if hasattr(table, "take"):
        return table.take(rows)
    return table[rows]

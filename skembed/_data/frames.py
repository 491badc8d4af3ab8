"""All that is known of data frames: pandas, polars and pyarrow, each by its own means.

None of the three is imported unless such a table came in, and none is needed for
another: a polars table is read without pyarrow.
"""

import narwhals.stable.v2 as nw
import numpy as np
from narwhals.stable.v2 import dependencies

from .cells import FLOAT, Refused, kinds_of
from .factorize import Distinct, Indexed, Masked, Nested, nested


def is_frame(X):
    """Whether `X` is a data frame of pandas, polars or pyarrow."""
    return (
        dependencies.is_pandas_dataframe(X)
        or dependencies.is_polars_dataframe(X)
        or dependencies.is_pyarrow_table(X)
    )


def refuse_other_frames(X):
    """Raise if `X` is a series, a lazy frame or a frame of another library."""
    if isinstance(X, np.ndarray | list | tuple) or is_frame(X):
        return
    kind = f"{type(X).__module__.partition('.')[0]} {type(X).__name__}"
    if is_series(X):
        raise ValueError(
            f"Expected a 2-dimensional container but got {kind} instead: a single "
            "column. Pass it as a data frame of one column, such as X.to_frame()."
        )
    found = nw.from_native(X, pass_through=True)
    if isinstance(found, nw.LazyFrame):
        raise TypeError(
            f"X is a {kind}, which has no rows yet: collect it into a data frame of "
            "pandas, polars or pyarrow."
        )
    if isinstance(found, nw.DataFrame) or kind == "pyarrow RecordBatch":
        raise TypeError(
            f"X is a {kind}; data frames of pandas, polars and pyarrow are read. Turn "
            "it into one of them."
        )


def is_series(values):
    """Whether this is one column of a data frame library, or an array of pyarrow."""
    return (
        dependencies.is_into_series(values)
        or dependencies.is_pandas_index(values)
        or type(values).__module__ == "pyarrow.lib"
        and hasattr(values, "dictionary_encode")
    )


def contents(frame):
    """Name of every column, whether it is floating point, and a function of its cells.

    The function returns what `factorize` and `floats` take.
    """
    if dependencies.is_pandas_dataframe(frame):
        pairs = ((n, frame.iloc[:, j]) for j, n in enumerate(frame.columns))
        read = _pandas
    elif dependencies.is_polars_dataframe(frame):
        pairs, read = ((s.name, s) for s in frame.get_columns()), _polars
    else:
        pairs = zip(frame.column_names, frame.columns, strict=True)
        read = _arrow
    return [(name, *_named(name, read, column)) for name, column in pairs]


def series_values(series):
    """One column of a data frame library, or an array of pyarrow, as an array."""
    if dependencies.is_pandas_index(series):
        series = series.to_series()
    if dependencies.is_pandas_series(series):
        read = _pandas
    else:
        read = _polars if dependencies.is_polars_series(series) else _arrow
    name = getattr(series, "name", None)
    _, content = _named(name, read, series)
    try:
        return _flat(content())
    except Refused as refused:
        raise refused.named(name) from None


def take(frame, rows):
    """Rows of a data frame at these positions."""
    return frame.take(rows) if hasattr(frame, "take") else frame[rows]


def names(frame):
    """Names of the columns."""
    if dependencies.is_pyarrow_table(frame):
        return frame.column_names
    return list(frame.columns)


def select(frame, names):
    """The frame with these columns only, in this order."""
    return frame.select(names) if hasattr(frame, "select") else frame[names]


def part(frame, start, stop):
    """The rows from one position up to another."""
    if dependencies.is_pandas_dataframe(frame):
        return frame.iloc[start:stop]
    return frame.slice(start, max(min(stop, len(frame)) - start, 0))


def stacked(tables):
    """Data frames of one library and the same columns, one below the other."""
    if len(tables) == 1:
        return tables[0]
    if dependencies.is_pandas_dataframe(tables[0]):
        import pandas as pd

        return pd.concat(tables, ignore_index=True)
    if dependencies.is_polars_dataframe(tables[0]):
        import polars as pl

        return pl.concat(tables, how="vertical_relaxed")
    import pyarrow as pa

    return pa.concat_tables(tables, promote_options="permissive")


def replaced(frame, position, values):
    """The frame with other values, a list, in the column at this position.

    They get the type of the column where it can hold them.
    """
    if dependencies.is_pandas_dataframe(frame):
        frame = frame.copy(deep=False)
        frame.isetitem(position, _like_pandas(frame.iloc[:, position], values))
        return frame
    table = nw.from_native(frame, eager_only=True)
    name = table.columns[position]
    series = _like(table[name], values)
    return table.with_columns(series.alias(name)).to_native()


def _like(series, values):
    """A series of narwhals with these values, of the same type if it can hold them."""
    made = nw.new_series(series.name, values, backend=series.implementation)
    if made.dtype != series.dtype:
        try:
            return made.cast(series.dtype)
        except Exception:
            return made
    return made


def _like_pandas(series, values):
    import pandas as pd

    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.cat.categories.to_series()
    made = pd.Series(values)
    try:
        made = made.astype(series.dtype)
    except (TypeError, ValueError):
        pass
    return made.to_numpy() if made.dtype == object else made.array


def _named(name, read, column):
    """What a reader finds, its errors with the name of the column."""

    def named(step, *args):
        try:
            return step(*args)
        except MemoryError:
            raise
        except Refused as refused:
            raise refused.named(name) from None
        except Exception as error:  # each library raises errors of its own
            raise TypeError(
                f"Column {name!r} of X cannot be read ({type(error).__name__}: "
                f"{error}). Turn it into text, numbers or dates."
            ) from error

    is_float, load = named(read, column)
    return is_float, lambda: named(load)


def holds_floats(values):
    """Whether an array of objects holds Python floats only (missing values aside)."""
    return values.dtype.kind == "O" and kinds_of(values.tolist()) == {FLOAT}


# pandas.


def _pandas(series):
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return False, lambda: _pandas_categories(series)
    of_arrow = isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"
    if of_arrow or isinstance(dtype, pd.ArrowDtype):
        return _arrow(series.array.__arrow_array__())
    if isinstance(dtype, pd.SparseDtype):
        return _pandas(series.sparse.to_dense())
    if isinstance(dtype, pd.DatetimeTZDtype):
        return False, lambda: series.dt.tz_convert(None).to_numpy()
    if not pd.api.types.is_extension_array_dtype(dtype):
        values = series.to_numpy()
        if values.dtype.kind == "c":
            raise Refused("is complex. Complex data not supported")
        return values.dtype.kind == "f" or holds_floats(values), lambda: values
    if pd.api.types.is_float_dtype(dtype):
        return True, lambda: series.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
        return False, lambda: Masked(
            series.to_numpy(dtype=dtype.numpy_dtype, na_value=0),
            series.isna().to_numpy(),
        )
    return False, lambda: series.to_numpy(dtype=object, na_value=None)


def _pandas_categories(series):
    _, load = _pandas(series.cat.categories.to_series())
    return Indexed(series.cat.codes.to_numpy(), _flat(load()))


def _flat(content):
    """Contents as one array, None for missing."""
    if isinstance(content, Nested):
        raise nested(content.kind)
    if isinstance(content, np.ndarray):
        return content
    if isinstance(content, Masked):
        out = content.values.astype(object)
        out[content.missing] = None
        return out
    return np.append(_objects(content[1].tolist()), None)[content[0]]


def _objects(cells):
    out = np.empty(len(cells), dtype=object)
    out[:] = cells
    return out


# polars.


def _polars(series):
    import polars as pl

    dtype = series.dtype
    if dtype.is_float():
        return True, lambda: series.cast(pl.Float64).to_numpy()
    if dtype in (pl.List, pl.Array):
        return False, lambda: _polars_lists(series)
    if dtype.is_nested():
        raise nested(dtype)
    if dtype == pl.String:
        return False, lambda: _polars_categories(series.cast(pl.Categorical))
    if dtype == pl.Categorical or dtype == pl.Enum:
        return False, lambda: _polars_categories(series)
    if dtype == pl.Boolean:
        return False, lambda: _polars_masked(series.cast(pl.Int8), np.bool_)
    if dtype.is_integer() and dtype != getattr(pl, "Int128", None):
        if dtype != getattr(pl, "UInt128", None):
            return False, lambda: _polars_masked(series)
    if dtype == pl.Date:
        return False, lambda: _polars_times(series.cast(pl.Int64), "M8[D]")
    if dtype in (pl.Datetime, pl.Duration):
        kind = "M8" if dtype == pl.Datetime else "m8"
        kind = f"{kind}[{dtype.time_unit}]"
        return False, lambda: _polars_times(series.to_physical(), kind)
    if dtype == pl.Object:
        values = _objects(series.to_list())
        return holds_floats(values), lambda: values
    if dtype == pl.Time:
        return False, lambda: _polars_times_of_day(series)
    return False, lambda: _objects(series.to_list())


def _polars_lists(series):
    import polars as pl

    if series.dtype == pl.Array:
        series = series.arr.to_list()
    lengths = series.list.len().fill_null(0).to_numpy().astype(np.int64)
    rows = np.repeat(np.arange(len(series)), lengths)
    inner = series.filter(pl.Series(lengths > 0)).explode()
    _, load = _polars(inner)
    return Nested(load(), rows, len(series), str(series.dtype))


def _polars_categories(series):
    """Codes of a categorical series; which codes it has is found from its distinct."""
    distinct = series.drop_nulls().unique()
    codes = series.to_physical()
    if series.null_count():
        codes = codes.cast(int).fill_null(-1)
    codes, physical = codes.to_numpy(), distinct.to_physical().to_numpy()
    names = _objects(distinct.cast(str).to_list())
    if len(physical) and int(physical.max()) >= 4 * len(series) + 1000:
        # Numbered in a pool that other columns have filled.
        order = np.argsort(physical)
        at = np.searchsorted(physical, codes, sorter=order)
        return Distinct(np.where(codes < 0, -1, at), names[order])
    n_places = int(physical.max()) + 1 if len(physical) else 0
    places = np.empty(n_places, dtype=object)
    places[physical] = names
    return Distinct(codes, places)


def _polars_masked(series, dtype=None):
    values = series.fill_null(0).to_numpy()
    values = values if dtype is None else values.astype(dtype)
    return (
        Masked(values, series.is_null().to_numpy()) if series.null_count() else values
    )


def _polars_times(counts, kind):
    values = counts.fill_null(np.iinfo(np.int64).min).to_numpy()  # which is NaT
    return values.view(kind)


def _polars_times_of_day(series):
    if (series.to_physical() % 1000 != 0).any():  # Python would cut them
        raise Refused("holds times of day finer than microseconds; round them")
    return _objects(series.to_list())


# pyarrow.


def _arrow(values):
    import pyarrow as pa

    kind, is_type = values.type, pa.types
    if is_type.is_run_end_encoded(kind):
        import pyarrow.compute as pc

        return _arrow(pc.run_end_decode(_whole(values)))
    if isinstance(kind, pa.BaseExtensionType):
        return False, lambda: _objects(values.to_pylist())
    if is_type.is_floating(kind):
        return True, lambda: _whole(values.cast(pa.float64())).to_numpy(
            zero_copy_only=False
        )
    if is_type.is_map(kind) or _is_list(kind):
        return False, lambda: _arrow_lists(_whole(values))
    if is_type.is_nested(kind):
        raise nested(kind)
    if is_type.is_dictionary(kind):
        return False, lambda: _arrow_dictionary(_whole(values))
    if is_type.is_integer(kind) or is_type.is_boolean(kind):
        return False, lambda: _arrow_masked(_whole(values))
    if is_type.is_temporal(kind) and not is_type.is_time(kind):
        return False, lambda: _whole(values).to_numpy(zero_copy_only=False)
    if is_type.is_string(kind) or is_type.is_large_string(kind):
        return False, lambda: _arrow_strings(values)
    if kind == getattr(pa, "string_view", lambda: None)():
        return False, lambda: _arrow_strings(values.cast(pa.large_string()))
    return False, lambda: _objects(values.to_pylist())


def _is_list(kind):
    import pyarrow as pa

    return (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    )


def _arrow_lists(values):
    import pyarrow as pa
    import pyarrow.compute as pc

    n, kind, amounts = len(values), values.type, None
    if pa.types.is_map(kind):
        pair = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        values = values.cast(pa.list_(pair))
    rows = pc.list_parent_indices(values).to_numpy().astype(np.int64)
    inner = pc.list_flatten(values)
    if pa.types.is_map(kind):
        amounts = inner.field("value").cast(pa.float64()).to_numpy(zero_copy_only=False)
        inner = inner.field("key")
    _, load = _arrow(inner)
    return Nested(load(), rows, n, str(kind), amounts)


def _whole(values):
    """A chunked array in one piece."""
    return values.combine_chunks() if hasattr(values, "combine_chunks") else values


def _arrow_strings(values):
    import pyarrow as pa

    if values.nbytes >= 2**31 and pa.types.is_string(values.type):
        values = values.cast(pa.large_string())  # else it does not fit into one piece
    values = _whole(values).dictionary_encode()
    return Distinct(_arrow_codes(values), _objects(values.dictionary.to_pylist()))


def _arrow_dictionary(values):
    _, load = _arrow(values.dictionary)
    return Indexed(_arrow_codes(values), _flat(load()))


def _arrow_codes(values):
    import pyarrow as pa

    codes = values.indices
    if pa.types.is_unsigned_integer(codes.type):
        codes = codes.cast(pa.int64())
    return codes.fill_null(-1).to_numpy(zero_copy_only=False)


def _arrow_masked(values):
    filled = values.fill_null(False if str(values.type) == "bool" else 0)
    found = filled.to_numpy(zero_copy_only=False)
    if not values.null_count:
        return found
    return Masked(found, values.is_null().to_numpy(zero_copy_only=False))

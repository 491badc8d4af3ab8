"""Rows that are read more than once instead of held: files, queries, tables in turn.

A source is a `pyarrow.dataset.Dataset`, paths of Parquet files, a polars LazyFrame, or
an object whose ``iter()`` gives data frames anew each time. Reading is left to pyarrow
and polars.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .. import _settings as settings
from . import frames
from .frames import is_frame
from .wording import shown

SUFFIXES = (".parquet", ".parq", ".pq")


def is_source(X):
    """Whether `X` is to be read in pieces; says nothing of whether that will work."""
    if isinstance(X, str | os.PathLike) or _is_dataset(X) or _is_lazy(X):
        return True
    if isinstance(X, list | tuple):
        return bool(X) and (all(map(_is_path, X)) or all(map(is_frame, X)))
    if is_frame(X) or frames.is_series(X) or isinstance(X, Mapping | bytes):
        return False
    is_array = any(hasattr(X, name) for name in ("__array__", "shape", "dtype"))
    return isinstance(X, Iterable) and not is_array


def refuse_source(X):
    """Raise if `X` is a source, where a table is needed."""
    if is_source(X):
        raise TypeError(
            f"X is a {type(X).__name__}, to be read in pieces, which fit, score and "
            "the predictions do. Here a table in memory is needed: read it first, or "
            "call this for one table after the other."
        )


def rows_at_once(most, n_columns):
    """How many rows of so many columns are held at a time, `most` of narrow tables."""
    return max(1, min(most, settings.PIECE_CELLS // n_columns))


@dataclass(frozen=True)
class Source:
    """Data frames of the same columns, one after the other, as often as they are asked.

    Attributes
    ----------
    names : list of str
        The columns.
    shown : str
        What messages call it.
    read : callable
        Takes names of columns; gives data frames with (at least) these columns.
    """

    names: list
    shown: str
    read: Callable

    def tables(self, names=None):
        """Data frames of these columns in order, of as many rows as are read at once.

        Parameters
        ----------
        names : list of str, default=None
            None: all columns.

        Raises
        ------
        ValueError
            If a column is missing, in `names` or in a later table.
        """
        wanted = list(self.names if names is None else names)
        self.refuse_missing(wanted)
        for number, table in enumerate(self.read(wanted), 1):
            have = frames.names(table)
            missing = [name for name in wanted if name not in have]
            if missing:
                raise ValueError(
                    f"Table {number} of {self.shown} has no column "
                    f"{_listed(missing)}, which the first has; its columns are "
                    f"{_listed(have)}. All need the same columns."
                )
            table = frames.select(table, wanted)
            step = rows_at_once(settings.CHUNK_ROWS, len(wanted))
            for start in range(0, len(table), step):
                yield frames.part(table, start, start + step)

    def refuse_missing(self, names):
        """Raise if the source does not have these columns."""
        missing = [name for name in names if name not in self.names]
        if missing:
            raise ValueError(
                f"{self.shown} has no column {_listed(missing)}; its columns are "
                f"{_listed(self.names)}."
            )


def source_of(X):
    """The source that `X` stands for.

    Raises
    ------
    TypeError
        If it can be read once only, or gives something other than data frames.
    ValueError
        If it has no tables.
    OSError
        If a file cannot be read.
    """
    if isinstance(X, str | os.PathLike):
        return _of_paths([X])
    if _is_dataset(X):
        return Source(X.schema.names, "the dataset", partial(_scanned, X))
    if _is_lazy(X):
        return _of_query(X)
    if isinstance(X, list | tuple) and all(map(_is_path, X)):
        return _of_paths(X)
    return _of_tables(X)


def _is_path(value):
    return isinstance(value, os.PathLike) or (
        isinstance(value, str) and value.lower().endswith(SUFFIXES)
    )


def _is_dataset(X):
    dataset = sys.modules.get("pyarrow.dataset")
    return dataset is not None and isinstance(X, dataset.Dataset)


def _is_lazy(X):
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(X, polars.LazyFrame)


def _listed(names):
    return ", ".join(map(repr, names))


def _of_query(X):
    if not hasattr(X, "collect_batches"):
        raise ImportError(
            "A LazyFrame is read in pieces by polars 1.34 or newer: upgrade polars, or "
            "collect the query into a data frame."
        )

    def collected(names):
        n = rows_at_once(settings.CHUNK_ROWS, len(names))
        return X.select(names).collect_batches(chunk_size=n)

    return Source(X.collect_schema().names(), "the LazyFrame", collected)


# Tables in turn.


def _of_tables(X):
    if iter(X) is X:
        raise TypeError(
            f"X is a {type(X).__name__}, which gives its tables once only, and rows "
            "are read more than once. Hand in an object whose __iter__ gives them anew "
            "each time, such as an instance of a class with `def __iter__(self): yield "
            "...`."
        )
    first = next(iter(X), None)
    if first is None:
        raise ValueError(f"X, a {type(X).__name__}, gives no tables.")
    _checked(first, X)
    return Source(
        list(frames.names(first)),
        f"X, a {type(X).__name__}",
        lambda names: (_checked(table, X) for table in X),
    )


def _checked(table, X):
    if not is_frame(table):
        raise TypeError(
            f"X, a {type(X).__name__}, gives {shown(table)}, a "
            f"{type(table).__name__}; X is a table, or gives data frames of pandas, "
            "polars or pyarrow."
        )
    return table


# Files.


def _of_paths(paths):
    try:
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ImportError(
            "Paths of Parquet files are read by pyarrow, which is not installed: pip "
            "install 'skembed[fast]', or hand in polars.scan_parquet(...)."
        ) from error
    files = [file for path in paths for file in _files_of(Path(path))]
    schema = _guarded(files[0], partial(pq.read_schema, files[0]))
    what = str(files[0]) if len(files) == 1 else f"the {len(files)} files"
    # The index of a data frame of pandas is no column, here as there.
    index = (schema.pandas_metadata or {}).get("index_columns", [])
    names = [name for name in schema.names if name not in index]
    return Source(names, what, partial(_of_files, files))


def _files_of(path):
    """The files that a path stands for."""
    if path.is_dir():
        found = sorted(f for f in path.rglob("*") if f.name.lower().endswith(SUFFIXES))
        if not found:
            raise FileNotFoundError(f"The folder {path} holds no Parquet file.")
        return found
    if not path.exists():
        raise FileNotFoundError(
            f"There is no file {path}. Text stands for the path of a Parquet file; a "
            "table of tokens is two-dimensional, such as [['red'], ['green']]."
        )
    return [path]


def _of_files(files, names):
    import pyarrow.dataset as ds

    for path in files:
        found = _guarded(path, partial(ds.dataset, path, format="parquet"))
        missing = [name for name in names if name not in found.schema.names]
        if missing:
            raise ValueError(
                f"The file {path} has no column {_listed(missing)}; its columns are "
                f"{_listed(found.schema.names)}. All files need the same columns."
            )
        step = partial(next, _scanned(found, names), None)
        while (table := _guarded(path, step)) is not None:
            yield table


def _guarded(path, step):
    """What a step gives, its errors with the name of the file."""
    try:
        return step()
    except MemoryError:
        raise
    except (OSError, ValueError) as error:  # those of pyarrow are one or the other
        raise OSError(
            f"The file {path} could not be read ({type(error).__name__}: {error})."
        ) from error


def _scanned(dataset, names):
    """Tables of a dataset of pyarrow, its batches put together."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    own = None
    if isinstance(getattr(dataset, "format", None), ds.ParquetFileFormat):
        # It would keep all that it has read of a file until the file is at its end.
        own = ds.ParquetFragmentScanOptions(pre_buffer=False)
    most = rows_at_once(settings.CHUNK_ROWS, len(names))
    waiting, n = [], 0
    for batch in dataset.to_batches(
        columns=names,
        batch_size=min(settings.BATCH_ROWS, most),
        batch_readahead=settings.BATCHES_AHEAD,
        fragment_readahead=1,
        fragment_scan_options=own,
    ):
        if len(batch) == 0:
            continue
        waiting.append(batch)
        n += len(batch)
        if n >= most:
            yield pa.Table.from_batches(waiting)
            waiting, n = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)

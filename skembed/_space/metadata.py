"""What a user knows of the tokens of a column besides: columns, one value per token."""

from __future__ import annotations

from collections.abc import Mapping

from .._data.wording import shown

__all__ = ["metadata_names", "metadata_values"]


def metadata_names(metadata, taken=()):
    """Return the names of the columns of a dict or a data frame.

    Parameters
    ----------
    metadata : dict or dataframe
        The columns.
    taken : collection of str
        Names that it may not use.
    """
    if hasattr(metadata, "column_names"):  # pyarrow, whose `columns` are the values
        names = metadata.column_names
    elif isinstance(metadata, Mapping) or hasattr(metadata, "columns"):
        names = getattr(metadata, "columns", metadata)
    else:
        raise TypeError(
            "metadata must be a dict from the names of columns to their values, or a "
            f"data frame, got {shown(metadata)}, a {type(metadata).__name__}."
        )
    names = list(names)
    for name in names:
        if name in taken:
            raise ValueError(
                f"metadata must not have a column {name!r}: it is written."
            )
        if names.count(name) > 1:
            raise ValueError(f"metadata has several columns {shown(name)}.")
    return names


def metadata_values(table, name, values):
    """Return one value per token; refuse what is merely iterable."""
    wrong = isinstance(values, str | bytes | Mapping | set | frozenset)
    if wrong or not hasattr(values, "__len__") or getattr(values, "ndim", 1) != 1:
        raise TypeError(
            f"metadata column {shown(name)} must be a list or a one-dimensional array "
            f"of {len(table)} values, got {shown(values)}, a {type(values).__name__}."
        )
    if len(values) != len(table):
        raise ValueError(
            f"metadata column {shown(name)} has {len(values)} values for the "
            f"{len(table)} tokens of column {shown(table.name)}; give one per token."
        )
    return values.to_pylist() if hasattr(values, "to_pylist") else list(values)

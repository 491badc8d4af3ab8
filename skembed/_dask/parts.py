"""Collections of Dask: in which parts they come, and what is predicted of each."""

import numpy as np

from .._data import frames
from .._data.columns import as_tokens


def is_delayed(X):
    from dask.delayed import Delayed

    return isinstance(X, list | tuple) and bool(X) and isinstance(X[0], Delayed)


def is_parted(X):
    """Whether these are rows in parts, for Dask to compute."""
    return is_delayed(X) or hasattr(X, "map_partitions")


def meta_of(X, columns, is_series):
    """What a prediction of a part looks like."""
    if is_delayed(X):
        return None
    import pandas as pd

    frame = pd.DataFrame({k: pd.Series(dtype=v) for k, v in columns.items()})
    return frame["prediction"] if is_series else frame


def predicted(part, estimator, method):
    return getattr(estimator, method)(part)


def predicted_frame(part, estimator, method):
    """Predictions of a part of a data frame, under its index."""
    import pandas as pd

    if len(part):
        found = getattr(estimator, method)(part)
    else:  # as many columns as ever
        shape = (0,)
        if method == "predict_proba" or getattr(estimator, "_is_multilabel", False):
            shape = 0, len(estimator.classes_)
        found = np.empty(shape)
    if found.ndim == 1:
        return pd.Series(found, index=part.index, name="prediction")
    names = getattr(estimator, "classes_", range(found.shape[1]))
    return pd.DataFrame(found, index=part.index, columns=list(names))


def labelled_parts(X, y, sample_weight):
    """Delayed parts of tables with their outcomes and weights."""
    from dask import delayed

    columns = list(getattr(X, "columns", []))
    tables = _delayed(X, "X")
    names = {}
    own = {"y": y, "sample_weight": sample_weight}
    parts = {"y": None, "sample_weight": None}
    for what, values in own.items():
        if values is None:
            if what == "y":
                raise ValueError("y is None: give the outcome, or its column's name.")
            continue
        is_list = isinstance(values, list | tuple) and what == "y"
        of_names = list(values) if is_list else [values]
        if of_names and all(isinstance(name, str) for name in of_names):
            missing = [name for name in of_names if columns and name not in columns]
            if missing:
                raise ValueError(f"X has no column {missing[0]!r}, which {what} names.")
            names[what] = list(values) if is_list else values
            continue
        parts[what] = _delayed(values, what)
        if len(parts[what]) != len(tables):
            raise ValueError(
                f"X comes in {len(tables)} parts and {what} in {len(parts[what])}: "
                "they must come in the same parts."
            )
    part = delayed(_part, pure=False)
    none = [None] * len(tables)
    return [
        part(table, a, b, names)
        for table, a, b in zip(
            tables, parts["y"] or none, parts["sample_weight"] or none, strict=True
        )
    ]


def _delayed(values, what):
    """Parts of a collection."""
    if is_delayed(values):
        return list(values)
    if hasattr(values, "to_delayed") and hasattr(values, "npartitions"):
        if hasattr(values, "map_partitions"):
            return list(values.to_delayed())
    raise TypeError(
        f"{what} is a {type(values).__name__}; on Dask it is a data frame or series of "
        "dask.dataframe, or a list of delayed data frames (or, beside X, the name of a "
        "column). Arrays: dask.dataframe.from_dask_array. Rows in memory: the plain "
        "estimator."
    )


def _part(table, y, weights, names):
    """Table, outcomes and weights of a part."""
    if not frames.is_frame(table):
        raise TypeError(
            f"A part of X is a {type(table).__name__}; it must be a data frame of "
            "pandas, polars or pyarrow."
        )
    if "y" in names:
        own = names["y"]
        y = table[own] if isinstance(own, str) else [table[name] for name in own]
    if "sample_weight" in names:
        weights = table[names["sample_weight"]]
    apart = {names.get("sample_weight")}
    apart |= (
        {names["y"]} if isinstance(names.get("y"), str) else set(names.get("y", ()))
    )
    left = [name for name in frames.names(table) if name not in apart]
    if not left:
        raise ValueError(f"X has no columns beside {sorted(filter(None, apart))}.")
    table = frames.select(table, left)
    y = _outcomes(y)
    weights = None if weights is None else as_tokens(weights)
    for what, values in {"y": y, "sample_weight": weights}.items():
        if values is not None and len(values) != len(table):
            raise ValueError(
                f"A part of X has {len(table)} rows, and the same part of {what} "
                f"{len(values)}."
            )
    return table, y, weights


def _outcomes(y):
    """One array of the outcomes of a part."""
    if frames.is_frame(y):
        y = [y[name] for name in frames.names(y)]
    if isinstance(y, list) and y and not np.isscalar(y[0]):
        return np.stack([as_tokens(column) for column in y], axis=1)
    if isinstance(y, np.ndarray) and y.ndim == 2:
        return y
    return as_tokens(y)

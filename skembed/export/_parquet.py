"""Vectors as one long table, for SQL."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._data.cells import is_missing, text
from .._data.wording import one_line
from .._files import whole_file
from .._model.network import readout
from ._extras import needs
from ._lookups import Cells
from ._tokens import items, tables_of, titles


def to_table(estimator):
    """Return the vectors of all columns of tokens as one long table of Arrow.

    DuckDB, polars and pandas read it as it is.

    Parameters
    ----------
    estimator : estimator
        Fitted.

    Returns
    -------
    table : pyarrow.Table
        One row for each token, with the columns

        - "column": name of the column of `X`
        - "token": the token as text, null for a missing value
        - "count": weighted number of its training rows
        - "vector", "std": lists of float, the vector and its posterior standard
          deviations (null with ``prior=None``)
        - "effect": list of float, one for each output: the token's first-order effect
          in units of y, of log-odds for classes, of the logarithm of y for "poisson"
          and "gamma". Null where there is none (``prior=None``, encoders, similarities)
        - "kind": the type of the token, such as "str" or "int"; "1" and 1 differ in it

        The entry "intercept" of the schema's metadata is a JSON list, one number for
        each output: with the effects of a row's tokens it makes the additive part of
        its prediction. A token that is not in the table has the effect 0, that of the
    prior, or that of the pooled rare tokens if there are any.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If there is no token column.
    TypeError
        If the estimator has no token vectors.

    See Also
    --------
    to_parquet : The table as a file.
    to_frame : The vectors of one column as a pandas DataFrame.

    Notes
    -----
    A lone surrogate, which UTF-8 does not have, is written as in a Python string.

    Examples
    --------
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_table
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> table = to_table(model)
    >>> table.column_names
    ['column', 'token', 'count', 'vector', 'std', 'effect', 'kind']
    >>> table["token"].to_pylist()
    ['New York', 'Rome']
    """
    needs("pyarrow", "fast")
    import json

    import pyarrow as pa

    tables = tables_of(estimator)
    effects, intercept = _effects(estimator, len(tables))
    parts = {name: [] for name in _TYPES}
    for table, title, effect in zip(tables, titles(tables), effects, strict=True):
        n = len(table)
        tokens = list(items(table.tokens))
        missing = [is_missing(token) for token in tokens]
        parts["column"] += [_written(title)] * n
        pairs = list(zip(tokens, missing, strict=True))
        parts["token"] += [None if gone else _written(text(t)) for t, gone in pairs]
        parts["count"] += table.counts.tolist()
        parts["vector"] += table.vectors.tolist()
        spreads = table.spreads
        parts["std"] += [None] * n if spreads is None else spreads.tolist()
        parts["effect"] += [None] * n if effect is None else effect.tolist()
        parts["kind"] += ["missing" if gone else _kind(t) for t, gone in pairs]
    arrays = [
        pa.array(values, _type(pa, _TYPES[name])) for name, values in parts.items()
    ]
    made = pa.table(dict(zip(parts, arrays, strict=True)))
    if intercept is None:
        return made
    return made.replace_schema_metadata({"intercept": json.dumps(intercept)})


def to_parquet(estimator, path):
    """Write the vectors of all columns of tokens as one long table of Parquet.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    path : str or path-like
        The file to write. What is there is replaced when all of the new file is on the
        disk, and stays as it is if anything goes wrong before.

    Returns
    -------
    path : pathlib.Path
        The file, with the columns that :func:`to_table` describes.

    Raises
    ------
    ImportError
        If pyarrow is not installed.
    ValueError
        If there is no token column.
    TypeError
        If the estimator has no token vectors.
    OSError
        If the file cannot be written.

    See Also
    --------
    to_table : The table itself.
    to_safetensors : Arrays, exact to the bit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_parquet
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_parquet(model, Path(folder) / "city.parquet").name
    'city.parquet'
    """
    table = to_table(estimator)
    import pyarrow.parquet as pq

    with whole_file(path) as file:
        pq.write_table(table, file)
    return Path(path)


_TYPES = {
    "column": "text",
    "token": "text",
    "count": "number",
    "vector": "list",
    "std": "list",
    "effect": "effects",
    "kind": "text",
}


def _type(pa, name):
    return {
        "text": pa.string(),
        "number": pa.float64(),
        "list": pa.list_(pa.float32()),
        "effects": pa.list_(pa.float64()),
    }[name]


def _written(name):
    try:
        name.encode()
    except UnicodeEncodeError:
        return one_line(name)
    return name


def _kind(token):
    return type(token.item() if isinstance(token, np.generic) else token).__name__


def _effects(estimator, n_columns):
    """First-order effects of the tokens of each column, and the intercept."""
    fitted = vars(estimator).get("_fitted")
    if fitted is None or not hasattr(estimator, "predict"):
        return [None] * n_columns, None
    architecture, dense = fitted.architecture, fitted.weights.dense
    if not architecture.has_direct_terms or architecture.head is not None:
        return [None] * n_columns, None
    first = readout(architecture, dense).astype(np.float64)
    intercept = dense[architecture.intercept] * fitted.scale + fitted.centre
    found, cells = [], Cells(fitted, pool_unknown=False)
    for k, index in enumerate(fitted.encoder.tokens):
        # Not of parents in other columns: these have effects of their own.
        of_field = cells.lookups([fitted.encoder.field_of(k)])
        (lookup,) = (one for one in of_field if one.column == k)
        mean = lookup.sums(fitted.weights.table.mean, fitted.mask)
        effect = mean[:, : architecture.n_first] @ first * fitted.scale
        found.append(effect[lookup.of_categories(index)])
    return found, intercept.tolist()

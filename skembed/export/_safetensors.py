"""Vectors in files of safetensors: arrays, and tokens as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from .._data.wording import shown
from .._files import whole_file
from .._space.token_names import keyed_vectors_name, token_from_keyed_vectors_name
from ._extras import needs
from ._tokens import items, tables_of, titles

# The only entry of the metadata: several would come in any order, and the file out
# differently each time.
FORMAT = "skembed vectors 1"


def to_safetensors(estimator, path):
    """Write the vectors of all columns of tokens as a file of safetensors.

    Such a file holds arrays and text only: it is safe to load, and any program that
    knows the format reads it.

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
        The file.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        If there is no token column.
    TypeError
        If the estimator has no token vectors, or a token cannot be written.
    OSError
        If the file cannot be written.

    See Also
    --------
    from_safetensors : The way back.

    Notes
    -----
    For the column at place j of `X` the file holds ``j.vectors`` (float32, posterior
    means), ``j.precisions`` (float32, 1 / variance, and ``j.scales``, the standard
    deviations of the prior; neither is there with ``prior=None``), ``j.counts``
    (float64) and ``j.tokens`` (uint8): a list in JSON, as ASCII. Its entries are
    strings, numbers, true, false and null for a missing value; a token of another kind
    is ``{"name": ...}`` with the name that `keyed_vectors_name` gives. The entry
    "skembed vectors 1" of the file's metadata is a JSON object from j to the column's
    name. So without this library::

        from safetensors import safe_open

        with safe_open("vectors.safetensors", "numpy") as file:
            vectors = file.get_tensor("0.vectors")
            tokens = json.loads(file.get_tensor("0.tokens").tobytes())

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import from_safetensors, to_safetensors
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = to_safetensors(model, Path(folder) / "city.safetensors")
    ...     columns = from_safetensors(path)
    >>> columns["x0"]["tokens"].tolist(), columns["x0"]["vectors"].shape
    (['New York', 'Rome'], (2, 2))
    """
    needs("safetensors", "safetensors")
    from safetensors.numpy import save

    tables = tables_of(estimator)
    arrays, names = {}, {}
    for table, title in zip(tables, titles(tables), strict=True):
        j = table.column
        names[str(j)] = title
        found = {"vectors": table.vectors.astype(np.float32), "counts": table.counts}
        if table.spreads is not None:
            found["precisions"] = (1.0 / np.square(table.spreads)).astype(np.float32)
        if table.prior_scale is not None:
            found["scales"] = table.prior_scale.astype(np.float32)
        text = json.dumps([_as_json(token) for token in items(table.tokens)])
        found["tokens"] = np.frombuffer(text.encode("ascii"), np.uint8)
        for name, array in found.items():
            arrays[f"{j}.{name}"] = np.ascontiguousarray(array)
    metadata = {FORMAT: json.dumps(names)}
    with whole_file(path) as file:
        file.write(save(arrays, metadata))
    return Path(path)


def from_safetensors(path):
    """Read the vectors that `to_safetensors` wrote.

    Parameters
    ----------
    path : str or path-like
        The file. Nothing in it is run, wherever it comes from.

    Returns
    -------
    columns : dict of str to dict of str to ndarray
        By the columns' names: "tokens" (n_tokens,), "vectors" and "precisions"
        (n_tokens, dim), "counts" (n_tokens,) and "scales" (dim,); "precisions" and
        "scales" only of vectors that have a posterior.

    Raises
    ------
    ImportError
        If safetensors is not installed.
    ValueError
        If the file is none of `to_safetensors`, or not whole.
    OSError
        If the file cannot be read.

    Examples
    --------
    See :func:`to_safetensors`.
    """
    needs("safetensors", "safetensors")
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        what = f"{shown(str(path))} is no file of safetensors"
        raise ValueError(f"{what}: {error}.") from error
    if FORMAT not in metadata:
        raise ValueError(
            f"{shown(str(path))} was not written by to_safetensors: its metadata have "
            f"no entry {FORMAT!r}."
        )
    try:
        return {
            name: _checked(_of_column(arrays, j))
            for j, name in json.loads(metadata[FORMAT]).items()
        }
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(
            f"{shown(str(path))} does not hold what to_safetensors writes: {error!r}."
        ) from error


def _of_column(arrays, j):
    found = {
        name: arrays[f"{j}.{name}"]
        for name in ("precisions", "scales")
        if f"{j}.{name}" in arrays
    }
    found |= {name: arrays[f"{j}.{name}"] for name in ("vectors", "counts")}
    cells = [_from_json(one) for one in json.loads(arrays[f"{j}.tokens"].tobytes())]
    tokens = np.empty(len(cells), dtype=object)
    tokens[:] = cells
    return {"tokens": tokens, **found}


def _checked(column):
    n, dim = column["vectors"].shape
    shapes = {"tokens": (n,), "counts": (n,), "precisions": (n, dim), "scales": (dim,)}
    for name, shape in shapes.items():
        if name in column and column[name].shape != shape:
            raise ValueError(f"{name} have the shape {column[name].shape}, not {shape}")
    return column


def _as_json(token):
    if isinstance(token, np.bool_ | np.integer | np.floating):
        token = token.item()
    if isinstance(token, float) and token != token:
        return None
    if token is None or type(token) in (bool, int, str):
        return token
    if type(token) is float and np.isfinite(token):
        return token
    return {"name": keyed_vectors_name(token)}


def _from_json(entry):
    if isinstance(entry, dict):
        return token_from_keyed_vectors_name(entry["name"])
    return entry

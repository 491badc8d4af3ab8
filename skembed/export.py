"""Write the vectors of a fitted estimator for other tools.

Every function takes a fitted `EmbeddingRegressor`, `EmbeddingClassifier` or an
estimator that holds one as `estimator_`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ._space.token_names import keyed_vectors_name, token_from_keyed_vectors_name
from ._space.token_tables import select_table, token_tables

__all__ = [
    "keyed_vectors_name",
    "to_frame",
    "to_keyed_vectors",
    "to_projector",
    "token_from_keyed_vectors_name",
]


def to_keyed_vectors(estimator, path, *, feature=None, binary=True):
    """Write token vectors in the format of word2vec, which gensim reads.

    Tokens that are no plain strings, or have white space in them, are written under
    names from which they can be recovered exactly.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    path : str or path-like
        The file to write.
    feature : str or int, default=None
        The column, by name or by index in `X`; not needed when there is only one.
    binary : bool, default=True
        Write float32 numbers in binary; otherwise as text, with as many digits as give
        the same float32 back.

    Returns
    -------
    path : pathlib.Path
        The file. Its rows are in the order of the column's `categories_`.

    Raises
    ------
    ValueError
        If there are several token columns and `feature` does not say which.
    TypeError
        If the estimator has no token vectors, or a token cannot be written.

    See Also
    --------
    token_from_keyed_vectors_name : The way back from a name to the token.
    to_frame : The vectors as a data frame.

    Notes
    -----
    The format ends a name at the first space and gensim 4.4 cannot read back a name
    with a space in it, so names are escaped: see `keyed_vectors_name`. Most strings
    are their own name. `token_from_keyed_vectors_name` is the exact way back.

    Read the file with
    ``gensim.models.KeyedVectors.load_word2vec_format(path, binary=True)``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_keyed_vectors
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = to_keyed_vectors(model, Path(folder) / "city.txt", binary=False)
    ...     [line.split(" ")[0] for line in path.read_text().splitlines()]
    ['2', 'New%20York', 'Rome']
    """
    table = select_table(token_tables(estimator), feature)
    vectors = np.ascontiguousarray(table.vectors, dtype="<f4")
    path = Path(path)
    with path.open("wb") as file:
        file.write(f"{len(table)} {vectors.shape[1]}\n".encode())
        for token, vector in zip(_items(table.tokens), vectors, strict=True):
            name = keyed_vectors_name(token).encode()
            if binary:
                file.write(name + b" " + vector.tobytes() + b"\n")
            else:
                numbers = " ".join(map(str, vector)).encode()
                file.write(name + b" " + numbers + b"\n")
    return path


def _items(tokens):
    """Go through tokens; time stamps stay NumPy's, whose tolist() gives integers."""
    return tokens if tokens.dtype.kind in "mM" else tokens.tolist()


def to_projector(estimator, folder, *, feature=None, metadata=None):
    r"""Write token vectors for the projector of TensorBoard.

    The projector shows the vectors in two or three dimensions, to be turned, searched
    and coloured by metadata.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    folder : str or path-like
        Made if needed. Show it with ``tensorboard --logdir folder``.
    feature : str or int, default=None
        The column, by name or by index in `X`. None writes all token columns; the
        projector lets one choose.
    metadata : dict of array-like or dataframe, default=None
        More columns to label and colour the points by, one value a token in the order
        of `categories_`. Only with a single column.

    Returns
    -------
    folder : pathlib.Path
        Holds ``projector_config.pbtxt`` and, for one column, ``tensors.tsv`` and
        ``metadata.tsv`` (token, count and what `metadata` adds). With several columns
        the files of column j of `X` are ``tensors_j.tsv`` and ``metadata_j.tsv``.

    Raises
    ------
    ValueError
        If `metadata` does not have one value for each token, names a column "token"
        or "count", or is given for several columns.
    TypeError
        If the estimator has no token vectors.

    See Also
    --------
    EmbeddingDisplay : A map of the tokens for print.

    Notes
    -----
    Tabs, line ends and backslashes in tokens and metadata are written as ``\t``,
    ``\n``, ``\r`` and ``\\``, since a tab ends a cell and a line end a row.

    Examples
    --------
    >>> import tempfile
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_projector
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sorted(path.name for path in to_projector(model, folder).iterdir())
    ['metadata.tsv', 'projector_config.pbtxt', 'tensors.tsv']
    """
    tables = token_tables(estimator)
    if feature is not None:
        tables = [select_table(tables, feature)]
    if metadata is not None and len(tables) > 1:
        raise ValueError(
            f"metadata describes the tokens of one column, but there are {len(tables)}:"
            " pick one by feature=."
        )
    columns = [_metadata_columns(table, metadata) for table in tables]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = []
    for table, labels in zip(tables, columns, strict=True):
        suffix = f"_{table.column}" if len(tables) > 1 else ""
        tensors, meta = f"tensors{suffix}.tsv", f"metadata{suffix}.tsv"
        _write_rows(folder / tensors, table.vectors.astype(np.float32))
        _write_rows(folder / meta, [list(labels), *zip(*labels.values(), strict=True)])
        n_tokens, dim = table.vectors.shape
        config.append(
            "embeddings {\n"
            f"  tensor_name: {_quoted(table.name)}\n"
            f"  tensor_shape: {n_tokens}\n"
            f"  tensor_shape: {dim}\n"
            f"  tensor_path: {_quoted(tensors)}\n"
            f"  metadata_path: {_quoted(meta)}\n"
            "}\n"
        )
    (folder / "projector_config.pbtxt").write_text("".join(config), encoding="ascii")
    return folder


def _metadata_columns(table, metadata):
    columns = {"token": _items(table.tokens), "count": [f"{c:g}" for c in table.counts]}
    if metadata is None:
        return columns
    names = metadata.columns if hasattr(metadata, "columns") else metadata
    for name in names:
        values = list(metadata[name])
        if name in columns:
            raise ValueError(
                f"metadata must not have a column {name!r}: it is written."
            )
        if len(values) != len(table):
            raise ValueError(
                f"metadata column {name!r} has {len(values)} values for the "
                f"{len(table)} tokens of column {table.name!r}; it needs one a token."
            )
        columns[name] = values
    return columns


def _write_rows(path, rows):
    with path.open(
        "w", encoding="utf-8", errors="backslashreplace", newline=""
    ) as file:
        for row in rows:
            file.write("\t".join(map(_cell, row)) + "\n")


def _cell(value):
    text = str(value).replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _quoted(text):
    """Quote a string for a protocol buffer text file."""
    encoded = text.encode("utf-8", errors="backslashreplace")
    plain = {byte for byte in range(32, 127)} - set(b'"\\')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in encoded) + '"'


def to_frame(estimator, *, feature=None):
    """Put tokens, counts, vectors and spreads of a column into a pandas DataFrame.

    One row a token, for joining the vectors to other tables or writing them to a file.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    feature : str or int, default=None
        The column, by name or by index in `X`; not needed when there is only one.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_tokens, 1 + 2 * embedding_dim)
        The index, named as the column, holds the tokens in the order of
        `categories_`. Columns: "count", the weighted number of training rows;
        "embedding_0", ..., the vector (float32); "std_0", ..., the posterior standard
        deviations (float32; not there with ``prior=None``).

    Raises
    ------
    ImportError
        If pandas is not installed.
    ValueError
        If there are several token columns and `feature` does not say which.
    TypeError
        If the estimator has no token vectors.

    See Also
    --------
    to_keyed_vectors : The vectors as a file for gensim.

    Examples
    --------
    >>> from skembed import EmbeddingRegressor
    >>> from skembed.export import to_frame
    >>> X, y = [["New York"], ["Rome"]] * 10, [1.5, 2.5] * 10
    >>> model = EmbeddingRegressor(2, epochs=1, random_state=0).fit(X, y)
    >>> frame = to_frame(model)
    >>> list(frame.columns)
    ['count', 'embedding_0', 'embedding_1', 'std_0', 'std_1']
    >>> frame.loc["Rome", "count"].item()
    10.0
    """
    import pandas as pd

    table = select_table(token_tables(estimator), feature)
    # the dtype keeps None and nan apart, which pandas would make one
    index = pd.Index(table.tokens, dtype=table.tokens.dtype, name=table.name)
    columns = {"count": table.counts}
    for k in range(table.vectors.shape[1]):
        columns[f"embedding_{k}"] = table.vectors[:, k]
    if table.spreads is not None:
        for k in range(table.spreads.shape[1]):
            columns[f"std_{k}"] = table.spreads[:, k]
    return pd.DataFrame(columns, index=index)

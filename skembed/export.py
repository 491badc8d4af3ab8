"""Write the vectors of a fitted estimator for other tools.

Every function takes a fitted `EmbeddingRegressor`, `EmbeddingClassifier` or an
estimator that holds one as `estimator_`.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ._data.wording import one_line
from ._files import whole_file, whole_files
from ._space.metadata import metadata_names, metadata_values
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

    Tokens that are not plain strings, or contain white space, are written under names
    from which they can be recovered exactly.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    path : str or path-like
        The file to write. What is there is replaced when all of the new file is on the
        disk, and stays as it is if anything goes wrong before.
    feature : str or int, default=None
        The column, by name or by index in `X`; not needed when there is only one.
    binary : bool, default=True
        True writes float32 numbers in binary, False writes text with as many digits as
        are needed to read the same float32 back.

    Returns
    -------
    path : pathlib.Path
        The file. Its rows are in the order of the column's `categories_`.

    Raises
    ------
    ValueError
        If there are several token columns and `feature` does not say which, or none.
    TypeError
        If the estimator has no token vectors, or a token cannot be written.
    OSError
        If the file cannot be written.

    See Also
    --------
    token_from_keyed_vectors_name : The way back from a name to the token.
    to_frame : The vectors as a data frame.

    Notes
    -----
    In this format a name ends at the first space, and gensim 4.4 cannot read back a
    name that contains a space. So names are escaped, see `keyed_vectors_name`; most
    strings stay as they are. `token_from_keyed_vectors_name` recovers the token.

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
    table = _one_table(estimator, feature)
    vectors = np.ascontiguousarray(table.vectors, dtype="<f4")
    names = [keyed_vectors_name(token).encode() for token in _items(table.tokens)]
    with whole_file(path) as file:
        file.write(f"{len(table)} {vectors.shape[1]}\n".encode())
        for name, vector in zip(names, vectors, strict=True):
            if binary:
                file.write(name + b" " + vector.tobytes() + b"\n")
            else:
                numbers = " ".join(map(str, vector)).encode()
                file.write(name + b" " + numbers + b"\n")
    return Path(path)


def _tables(estimator):
    """Return the token tables of an estimator that has any."""
    tables = token_tables(estimator)
    if not tables:
        raise ValueError(
            f"{type(estimator).__name__} was fitted without a token column, so there "
            "are no vectors to write: set its categorical_features and fit it again."
        )
    return tables


def _one_table(estimator, feature):
    return select_table(_tables(estimator), feature)


def _items(tokens):
    """Go through tokens; time stamps stay NumPy's, whose tolist() gives integers."""
    return tokens if tokens.dtype.kind in "mM" else tokens.tolist()


def to_projector(estimator, folder, *, feature=None, metadata=None):
    r"""Write token vectors for the projector of TensorBoard.

    The projector shows the vectors in two or three dimensions. The view can be
    rotated, searched and coloured by metadata.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    folder : str or path-like
        Created if needed. Show it with ``tensorboard --logdir folder``. Files of an
        earlier export are replaced once all new ones are on the disk.
    feature : str or int, default=None
        The column, by name or by index in `X`. None writes all token columns; the
        projector lets one choose.
    metadata : dict of array-like or dataframe, default=None
        More columns to label and colour the points by, each one-dimensional, with one
        value per token in the order of `categories_`. Only with a single column.

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
        or "count" or one column twice, or is given for several columns; or if there is
        no token column.
    TypeError
        If the estimator has no token vectors, or `metadata` is neither a dict nor a
        data frame of columns.
    OSError
        If a file cannot be written.

    See Also
    --------
    EmbeddingDisplay : A static map of the tokens.

    Notes
    -----
    A tab ends a cell, and a line end ends a row. So backslashes, control characters,
    all line ends of Unicode and lone surrogates in tokens and metadata are written as
    in a Python string: ``\t``, ``\n``, ``\u2028``, ``\\``.

    The projector reads the cells as text. A spreadsheet treats a cell that begins with
    ``=``, ``+``, ``-`` or ``@`` as a formula and may run it. So such a cell is written
    with a backslash before it (``\=SUM(A1)``), unless it is a number.

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
    tables = _tables(estimator)
    if feature is not None:
        tables = [select_table(tables, feature)]
    if metadata is not None and len(tables) > 1:
        raise ValueError(
            f"metadata describes the tokens of one column, but there are {len(tables)}:"
            " pick one by feature=."
        )
    contents = {}
    config = []
    for table, title in zip(tables, _titles(tables), strict=True):
        suffix = f"_{table.column}" if len(tables) > 1 else ""
        tensors, meta = f"tensors{suffix}.tsv", f"metadata{suffix}.tsv"
        contents[tensors] = _number_lines(table.vectors.astype(np.float32))
        contents[meta] = _cell_lines(_metadata_columns(table, metadata))
        config.append(_config_entry(title, table.vectors.shape, tensors, meta))
    # The projector looks for the config, so that is the last to change.
    contents["projector_config.pbtxt"] = ["".join(config).encode("ascii")]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_files(*(folder / name for name in contents)) as files:
        for file, lines in zip(files, contents.values(), strict=True):
            file.writelines(lines)
    return folder


def _titles(tables):
    """Return what the projector calls the columns; it finds them by it again."""
    names = [table.name for table in tables]
    return [
        name if names.count(name) == 1 else f"{name} ({table.column})"
        for name, table in zip(names, tables, strict=True)
    ]


def _config_entry(title, shape, tensors, meta):
    n_tokens, dim = shape
    return (
        "embeddings {\n"
        f"  tensor_name: {_quoted(title)}\n"
        f"  tensor_shape: {n_tokens}\n"
        f"  tensor_shape: {dim}\n"
        f"  tensor_path: {_quoted(tensors)}\n"
        f"  metadata_path: {_quoted(meta)}\n"
        "}\n"
    )


def _metadata_columns(table, metadata):
    columns = {"token": _items(table.tokens), "count": [f"{c:g}" for c in table.counts]}
    if metadata is None:
        return columns
    for name in metadata_names(metadata, taken=columns):
        columns[name] = metadata_values(table, name, metadata[name])
    return columns


def _number_lines(rows):
    for row in rows:
        yield ("\t".join(map(str, row)) + "\n").encode("ascii")


def _cell_lines(columns):
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    return [("\t".join(map(_cell, row)) + "\n").encode("utf-8") for row in rows]


# The wide forms count as well where they are typed.
_FORMULA = re.compile(r"[=+\-@\uff1d\uff0b\uff0d\uff20]")


def _cell(value):
    """Write a value as a cell that is no end of one and no formula."""
    text = str(value)
    escaped = one_line(text.replace("\\", "\\\\"))
    return f"\\{escaped}" if _FORMULA.match(text) and not _is_number(text) else escaped


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _quoted(text):
    """Quote a string for a protocol buffer text file."""
    encoded = text.encode("utf-8", errors="backslashreplace")
    plain = {byte for byte in range(32, 127)} - set(b'"\\')
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in encoded) + '"'


def to_frame(estimator, *, feature=None):
    """Return the tokens, counts and vectors of a column as a pandas DataFrame.

    It has one row per token, for joining the vectors to other data or writing them to
    a file.

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
        If there are several token columns and `feature` does not say which, or none.
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

    table = _one_table(estimator, feature)
    # the dtype keeps None and nan apart, which pandas would make one
    index = pd.Index(table.tokens, dtype=table.tokens.dtype, name=table.name)
    columns = {"count": table.counts}
    for k in range(table.vectors.shape[1]):
        columns[f"embedding_{k}"] = table.vectors[:, k]
    if table.spreads is not None:
        for k in range(table.spreads.shape[1]):
            columns[f"std_{k}"] = table.spreads[:, k]
    return pd.DataFrame(columns, index=index)

"""Vectors in a folder for the projector of TensorBoard."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from .._data.wording import one_line
from .._files import whole_files
from .._space.metadata import metadata_names, metadata_values
from .._space.token_tables import select_table
from ._tokens import items, tables_of, titles


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
    tables = tables_of(estimator)
    if feature is not None:
        tables = [select_table(tables, feature)]
    if metadata is not None and len(tables) > 1:
        raise ValueError(
            f"metadata describes the tokens of one column, but there are {len(tables)}:"
            " pick one by feature=."
        )
    contents = {}
    config = []
    for table, title in zip(tables, titles(tables), strict=True):
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
    columns = {"token": items(table.tokens), "count": [f"{c:g}" for c in table.counts]}
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

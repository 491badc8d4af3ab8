"""Vectors in the format of word2vec, which gensim reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .._files import whole_file
from .._space.token_names import keyed_vectors_name
from ._tokens import items, one_table


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
    table = one_table(estimator, feature)
    vectors = np.ascontiguousarray(table.vectors, dtype="<f4")
    names = [keyed_vectors_name(token).encode() for token in items(table.tokens)]
    with whole_file(path) as file:
        file.write(f"{len(table)} {vectors.shape[1]}\n".encode())
        for name, vector in zip(names, vectors, strict=True):
            if binary:
                file.write(name + b" " + vector.tobytes() + b"\n")
            else:
                numbers = " ".join(map(str, vector)).encode()
                file.write(name + b" " + numbers + b"\n")
    return Path(path)

"""Vectors as a data frame."""

from __future__ import annotations

from ._tokens import one_table


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

    table = one_table(estimator, feature)
    # the dtype keeps None and nan apart, which pandas would make one
    index = pd.Index(table.tokens, dtype=table.tokens.dtype, name=table.name)
    columns = {"count": table.counts}
    for k in range(table.vectors.shape[1]):
        columns[f"embedding_{k}"] = table.vectors[:, k]
    if table.spreads is not None:
        for k in range(table.spreads.shape[1]):
            columns[f"std_{k}"] = table.spreads[:, k]
    return pd.DataFrame(columns, index=index)

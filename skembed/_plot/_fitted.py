"""Reading fitted estimators and tables for the Displays."""

import warnings

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skembed import _settings as settings
from skembed._data.cells import as_objects as python_cells
from skembed._data.cells import key, text
from skembed._data.columns import Column, as_table, as_tokens, is_missing, read
from skembed._data.wording import label, shown
from skembed._space.checks import check_count, check_many, check_names
from skembed._space.token_tables import select_table, token_tables


def unwrap(estimator, attribute="embeddings_"):
    """Return the fitted estimator with `attribute` inside of `estimator`.

    Looks at the last step of pipelines and at ``estimator_`` and ``best_estimator_``
    of meta-estimators.

    Raises
    ------
    TypeError
        If no estimator with this attribute is found.
    """
    found = estimator
    while True:
        if isinstance(found, Pipeline):
            found = found[-1]
            continue
        if isinstance(found, type):
            break
        if hasattr(found, attribute):
            return found
        for inner in ("best_estimator_", "estimator_"):
            if hasattr(found, inner):
                found = getattr(found, inner)
                break
        else:
            break
    if not isinstance(found, type) and hasattr(found, "fit"):
        check_is_fitted(found)
    raise TypeError(
        f"{shown(estimator)} has no {attribute}: pass a fitted estimator of skembed, "
        "or a Pipeline that ends in one."
    )


def before(estimator, X):
    """Transform `X` by the steps of a pipeline that come before the last."""
    if hasattr(estimator, "best_estimator_"):
        return before(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        return estimator[:-1].transform(X)
    return X


def token_table(estimator, feature=None):
    """Return the fitted estimator in `estimator` and the table of one of its columns.

    Parameters
    ----------
    estimator : fitted estimator
        See :func:`unwrap`.
    feature : str, int or None
        Name or index of the column in the table that `fit` has seen; None is the one
        categorical column.

    Returns
    -------
    fitted : estimator
        The estimator with ``embeddings_``.
    table : TokenTable
        Its tokens and vectors.
    name : str or None
        Its name, where `fit` has seen names.
    """
    fitted = unwrap(estimator)
    table = select_table(token_tables(fitted), feature)
    name = label(table.name) if hasattr(fitted, "feature_names_in_") else None
    return fitted, table, name


def predict_tokens(estimator, tokens):
    """Predict (probabilities, for a classifier) for the tokens of a single column."""
    predict = getattr(estimator, "predict_proba", estimator.predict)
    with warnings.catch_warnings():
        # The column's name is known and beside the point here.
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        return np.asarray(predict(tokens[:, None]), dtype=np.float64)


def factorize(x):
    """Return the different tokens of a column as objects, missing last, and codes."""
    codes, distinct = Column("x", as_tokens(x), is_float=False).factorize()
    tokens = python_cells(distinct)
    codes = codes.astype(np.intp)
    if (codes < 0).any():
        codes[codes < 0] = len(tokens)
        tokens.append(None)
    # Values that no row holds are no tokens here.
    used, codes = np.unique(codes, return_inverse=True)
    return as_objects(tokens)[used], codes


def cells(X, index):
    """Return a column of any table as a 1-d array of objects."""
    column = read(as_table(X))[index]
    if column.holds_lists:
        return column.lists()
    codes, distinct = column.factorize()
    return as_objects([*python_cells(distinct), None])[codes]


def values(X, table):
    """Return the tokens of a column of any table, and the row that each is in."""
    column = table.reader.read(read(as_table(X))[table.column])
    codes, distinct = column.factorize()
    tokens = as_objects([*python_cells(distinct), None])[codes]
    return tokens, getattr(column, "rows", np.arange(len(tokens)))


def finder(mapping):
    """Return a function of token and default that looks into a dict of tokens.

    A token is found in any form of it, and any missing value stands for all.
    """
    values = {_key(token): value for token, value in mapping.items()}
    return lambda token, default: values.get(_key(token), default)


def _key(token):
    return None if is_missing(token) else key(token)


def token_labels(tokens, labels=None, longest=settings.LABEL):
    """Write tokens as text; `labels` (dict, function or None) may rename them.

    Those that are not renamed are cut to `longest` characters.
    """
    check_names("labels", labels)
    if callable(labels):
        return [text(labels(token)) for token in tokens]
    find = finder(labels or {})
    names = ["(missing)" if is_missing(t) else label(text(t), longest) for t in tokens]
    return [text(find(t, name)) for t, name in zip(tokens, names, strict=True)]


def choose_tokens(table, counts, tokens=None, n_max=None):
    """Return the rows of the tokens asked for, or of the most frequent ones.

    Raises
    ------
    ValueError
        If a token asked for is not in the table.
    """
    n_max = check_count("max_tokens", n_max, none_is="all tokens")
    if tokens is not None:
        check_many("tokens", tokens, least=1)
        return table.known_codes(tokens)
    order = np.argsort(-np.asarray(counts, dtype=np.float64), kind="stable")
    return np.sort(order[:n_max])


def as_objects(values):
    """Return a 1-d array of objects, whatever the values are."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array

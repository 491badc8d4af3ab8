"""The tables of tokens that an export of vectors writes."""

from __future__ import annotations

from .._space.token_tables import select_table, token_tables


def tables_of(estimator):
    """Return the token tables of an estimator that has any."""
    tables = token_tables(estimator)
    if not tables:
        raise ValueError(
            f"{type(estimator).__name__} was fitted without a token column, so there "
            "are no vectors to write: set its categorical_features and fit it again."
        )
    return tables


def one_table(estimator, feature):
    """Return the token table that `feature` names."""
    return select_table(tables_of(estimator), feature)


def items(tokens):
    """Go through tokens; time stamps stay NumPy's, whose tolist() gives integers."""
    return tokens if tokens.dtype.kind in "mM" else tokens.tolist()


def titles(tables):
    """Return names by which the columns can be told apart."""
    names = [table.name for table in tables]
    return [
        name if names.count(name) == 1 else f"{name} ({table.column})"
        for name, table in zip(names, tables, strict=True)
    ]

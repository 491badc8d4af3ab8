"""Columns as a graph of ONNX takes them in: their types, codes and numbers.

A column is an input of shape (n_rows, 1):

- tokens that are text: string; ONNX has no missing strings, so a missing cell has a
  spelling
- tokens that are whole numbers: int64, or double with NaN for missing where fit saw a
  missing value
- tokens that are floats, and numbers: double, with NaN for missing
- tokens that are truth values: bool, or double as whole numbers are
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._data.cells import BOOL, EXACT, FLOAT, INT, TEXT, kinds_of
from .._data.wording import several
from ._graph import ML

STRING, INT64, DOUBLE, TRUTH = "string", "int64", "double", "bool"
NUMERIC = (INT64, DOUBLE, TRUTH, "float", "int32")

_ADVICE = {
    "M": "dates or times; turn them into text, or into whole numbers such as the days "
    "since 1970",
    "m": "durations; turn them into whole numbers, such as days",
}


class Column(NamedTuple):
    """A column of the table that an estimator reads.

    Attributes
    ----------
    name : str
        Of the graph's input.
    kind : str
        Its type in ONNX.
    value : str
        Name of the value, (n_rows, 1), in the graph.
    """

    name: str
    kind: str
    value: str


def input_names(estimator):
    """Names of the inputs: those of the columns, where they can be told apart."""
    names = getattr(estimator, "feature_names_in_", None)
    n = estimator.n_features_in_
    if names is None:
        return [f"x{j}" for j in range(n)]
    names = [str(name) for name in names]
    out = []
    for j, name in enumerate(names):
        # An empty name is no input in ONNX, and a lone surrogate cannot be written.
        if not name or names.count(name) > 1 or not _is_written(name):
            name = f"x{j}"
            while name in names or name in out:
                name += "_"
        out.append(name)
    return out


def input_kinds(encoder, names):
    """Type of the input of every column; a column without one is refused."""
    tokens = iter(encoder.tokens)
    return [
        _kind_of_tokens(next(tokens), name) if is_token else DOUBLE
        for name, is_token in zip(names, encoder.is_categorical, strict=True)
    ]


def _kind_of_tokens(index, name):
    kind = _kind(index, name)
    if kind == TEXT:
        return STRING
    if kind == FLOAT or index.has_missing:
        return DOUBLE
    return TRUTH if kind == BOOL else INT64


def _present(index):
    """The tokens of a column without the missing one, in its codes' order."""
    return index.categories[: len(index.categories) - index.has_missing]


def _kind(index, name):
    """What the tokens of a column are; a column that ONNX cannot have is refused."""
    tokens = _present(index)
    kind = tokens.dtype.kind
    if kind in _ADVICE:
        raise TypeError(f"Column {name!r} holds {_ADVICE[kind]}, and fit again.")
    found = kinds_of(tokens.tolist())
    if not found or found == {TEXT}:
        return TEXT
    if found <= {INT, BOOL}:
        if any(not -(2**63) <= int(token) < 2**63 for token in tokens.tolist()):
            raise TypeError(
                f"Column {name!r} holds whole numbers beyond 64 bits with a sign, the "
                "largest that ONNX has; turn them into text, and fit again."
            )
        if index.has_missing and any(abs(int(t)) >= EXACT for t in tokens.tolist()):
            raise TypeError(
                f"Column {name!r} holds missing values and whole numbers of 2**53 or "
                "more: integers of ONNX have no missing value, and floats do not tell "
                "such numbers apart. Turn them into text, and fit again."
            )
        return BOOL if found == {BOOL} else INT
    if found == {FLOAT}:
        return FLOAT
    raise TypeError(
        f"Column {name!r} holds tokens of several kinds, or of one that ONNX does not "
        f"have, such as {several(_one_of_each(tokens))}; turn all of them into text, "
        "and fit again."
    )


def _one_of_each(tokens):
    by_type = {}
    for token in tokens.tolist():
        by_type.setdefault(type(token), token)
    return list(by_type.values())


def _is_written(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def rows_of(g, encoder, columns, lookup, missing):
    """Rows of a lookup, int64 of shape (n_rows, 1), by the cells of its column.

    Parameters
    ----------
    g : Graph
    encoder : FeatureEncoder
    columns : list of Column
    lookup : Lookup
    missing : sequence of str
        How a missing cell may be written in a column of text.
    """
    column = columns[np.flatnonzero(encoder.is_categorical)[lookup.column]]
    index = encoder.tokens[lookup.column]
    kind = _kind(index, column.name)
    lookup = _of_kind(lookup, kind)
    if column.kind == STRING:
        return _of_text(g, column, index.has_missing, lookup, missing)
    if kind == TEXT and len(_present(index)):
        raise TypeError(
            f"Column {column.name!r} holds text, but its input is declared as "
            f"{column.kind}: declare it as string."
        )
    return (_of_floats if kind == FLOAT else _of_integers)(g, column, lookup)


def _of_kind(lookup, kind):
    """The lookup without tokens that are no cells of the column's input."""
    tokens = lookup.tokens.tolist()
    allowed = {TEXT: {TEXT}, FLOAT: {FLOAT}}.get(kind, {INT, BOOL})
    kept = [kinds_of([token]) <= allowed for token in tokens]
    if allowed == {INT, BOOL}:
        pairs = zip(kept, tokens, strict=True)
        kept = [ok and -(2**63) <= int(token) < 2**63 for ok, token in pairs]
    if all(kept):
        return lookup
    return lookup._replace(tokens=lookup.tokens[kept], known=lookup.known[kept])


def _of_text(g, column, has_missing, lookup, missing):
    tokens = [
        cell
        if isinstance(cell, str)
        else str(int(cell))
        if _is_whole(cell)
        else repr(cell)
        for cell in lookup.tokens.tolist()
    ]
    spellings = [text for text in missing if text not in set(tokens)]
    if has_missing and not spellings:
        raise ValueError(
            f"Column {column.name!r} has missing values, and {several(list(missing))} "
            "are all tokens of it: pass another spelling as missing=."
        )
    # A token that cannot be written as UTF-8 cannot be asked for either.
    known = {
        token: code
        for token, code in zip(tokens, lookup.known.tolist(), strict=True)
        if _is_written(token)
    }
    known |= dict.fromkeys(spellings, lookup.missing)
    return g.add(
        "LabelEncoder",
        column.value,
        domain=ML,
        keys_strings=[key.encode() for key in known],
        values_int64s=list(known.values()),
        default_int64=lookup.unknown,
    )


def _is_whole(cell):
    return isinstance(cell, (bool, int, np.integer, np.bool_))


def _of_integers(g, column, lookup):
    tokens = [int(cell) for cell in lookup.tokens.tolist()]
    known = dict(zip(tokens, lookup.known.tolist(), strict=True))
    at, value = None, column.value
    if column.kind in (DOUBLE, "float"):
        value = g.cast(value, np.float64)
        whole = g.add("Equal", value, g.add("Floor", value))
        exact = g.add("Less", g.add("Abs", value), np.float64(EXACT))
        at = g.add("And", whole, exact)
        value = g.add("Where", at, value, np.float64(0))
    found = g.add(
        "LabelEncoder",
        g.cast(value, np.int64),
        domain=ML,
        keys_int64s=list(known) or [0],
        values_int64s=list(known.values()) or [lookup.unknown],
        default_int64=lookup.unknown,
    )
    if at is None:
        return found
    found = g.add("Where", at, found, np.int64(lookup.unknown))
    return g.add("Where", _is_nan(g, column), np.int64(lookup.missing), found)


def _of_floats(g, column, lookup):
    """Position among the sorted tokens, and whether the token there is the one."""
    tokens = lookup.tokens.astype(np.float64)
    order = np.argsort(tokens)
    tokens, known = tokens[order], lookup.known[order]
    value = g.cast(column.value, np.float64)
    at = bins(g, value, [tokens])
    at = g.cast(at, np.int64)
    # In front of the first there is none; NaN equals nothing.
    there = g.rows(np.append(np.nan, tokens), at)
    rows = g.rows(np.append(lookup.unknown, known).astype(np.int64), at)
    is_known = g.add("Equal", there, value)
    found = g.add("Where", is_known, rows, np.int64(lookup.unknown))
    return g.add("Where", _is_nan(g, column), np.int64(lookup.missing), found)


def _is_nan(g, column):
    return g.add("IsNaN", g.cast(column.value, np.float64))


class Numbers(NamedTuple):
    """The numbers of every row, as the network reads them.

    Attributes
    ----------
    values : str or None
        (n_rows, n_numbers), float64; None without numbers.
    rows : str or None
        (n_rows, n_binned), int64: rows of the table of vectors of their bins.
    standardised, squashed, known : str or None
        (n_rows, n_columns), float64: as `NumberScale` has them, 0 where they are
        missing; and 0 for missing ones, else 1.
    """

    values: str | None
    rows: str | None
    standardised: str | None = None
    squashed: str | None = None
    known: str | None = None


def numbers(g, encoder, columns, first_bin):
    """The columns of numbers, scaled as `NumberScale` does it, and their bins.

    The rows of the table of vectors from `first_bin` on are those of bins.
    """
    pairs = zip(columns, encoder.is_categorical, strict=True)
    given = [column for column, is_token in pairs if not is_token]
    for column in given:
        if column.kind not in NUMERIC:
            raise TypeError(
                f"Column {column.name!r} holds numbers, but its input is declared as "
                f"{column.kind}: declare it as double."
            )
    if not given:
        return Numbers(None, None)
    scales = encoder.scales
    raw = g.side_by_side([g.cast(column.value, np.float64) for column in given])
    missing = g.add("IsNaN", raw)
    standardised = _standardised(g, raw, scales)
    z = _squashed(g, standardised)
    indicators = g.cast(missing, np.float64)
    known, standardised = (
        g.add("Where", missing, np.float64(0), one) for one in (z, standardised)
    )
    with_indicator = [j for j, scale in enumerate(scales) if scale.has_missing]
    values = known
    if with_indicator:
        both = g.side_by_side([known, g.columns(indicators, with_indicator)])
        order = []
        for j, scale in enumerate(scales):
            order.append(j)
            if scale.has_missing:
                order.append(len(scales) + with_indicator.index(j))
        values = g.columns(both, order)
    rows = _rows_of_bins(g, encoder, z, indicators, first_bin)
    there = g.add("Sub", np.float64(1), indicators)
    return Numbers(values, rows, standardised, known, there)


def _standardised(g, raw, scales):
    """`NumberScale.standardised`, step by step: bins tell the last digit apart."""
    unit, origin, mean, sd = (
        np.array([getattr(scale, name) for scale in scales])
        for name in ("unit", "origin", "mean", "sd")
    )
    z = g.add("Div", raw, unit) if (unit != 1.0).any() else raw
    z = g.add("Sub", g.add("Sub", z, origin), mean)
    return g.add("Div", z, sd)


def _squashed(g, z):
    """`NumberScale.squash` of standardised numbers."""
    from .. import _settings as settings

    far = np.float64(settings.FARTHEST)
    z = g.add("Clip", z, -far, far)
    third = g.add("Div", z, np.float64(3.0))
    under = g.add("Add", g.add("Mul", third, third), np.float64(1.0))
    return g.add("Div", z, g.add("Sqrt", under))


def _rows_of_bins(g, encoder, z, indicators, first):
    binned = [j for j, scale in enumerate(encoder.scales) if scale.is_binned]
    if not (encoder.with_bins and binned):
        return None
    scales = [encoder.scales[j] for j in binned]
    if len(binned) < len(encoder.scales):
        z, indicators = g.columns(z, binned), g.columns(indicators, binned)
    found = g.cast(bins(g, z, [scale.cuts for scale in scales]), np.float64)
    # NaN is right of all cuts, and its own bin is the next.
    found = g.cast(g.add("Add", found, indicators), np.int64)
    starts = first + np.cumsum([0, *(scale.n_bins for scale in scales)])[:-1]
    return g.add("Add", found, starts.astype(np.int64))


def bins(g, z, cuts):
    """How many cuts of its column are at or below every number, as float32.

    ONNX has no binary search, but it has trees: one for each column.
    """
    trees = [_tree(column, len(edges)) for column, edges in enumerate(cuts)]
    size = [len(tree["modes"]) for tree in trees]

    def joined(name):
        return [one for tree in trees for one in tree[name]]

    numbered = [j for j, n in enumerate(size) for _ in range(n)]
    nodes = [i for n in size for i in range(n)]
    thresholds = np.concatenate(
        [
            np.asarray(edges, np.float64)[np.maximum(tree["cuts"], 0)]
            if len(edges)
            else np.zeros(1)
            for edges, tree in zip(cuts, trees, strict=True)
        ]
    )
    leaves = [i for i, mode in enumerate(joined("modes")) if mode == "LEAF"]
    return g.add(
        "TreeEnsembleRegressor",
        z,
        domain=ML,
        n_targets=len(cuts),
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=numbered,
        nodes_nodeids=nodes,
        nodes_featureids=numbered,
        nodes_modes=joined("modes"),
        nodes_truenodeids=joined("below"),
        nodes_falsenodeids=joined("above"),
        nodes_values_as_tensor=g.attribute(thresholds),
        target_treeids=[numbered[i] for i in leaves],
        target_nodeids=[nodes[i] for i in leaves],
        target_ids=[numbered[i] for i in leaves],
        target_weights_as_tensor=g.attribute(
            np.array(joined("counts"), np.float64)[leaves]
        ),
    )


def _tree(column, n_cuts):
    """A balanced tree over sorted cuts: its nodes, with the cut or count of each."""
    modes, below, above, at, counts = [], [], [], [], []
    waiting = [(0, n_cuts, None, None)]  # from, to, parent, and which side of it
    while waiting:
        low, high, parent, side = waiting.pop()
        node = len(modes)
        if parent is not None:
            side[parent] = node
        middle = (low + high) // 2
        is_leaf = low == high
        modes.append("LEAF" if is_leaf else "BRANCH_LT")
        at.append(-1 if is_leaf else middle)
        counts.append(float(low))
        below.append(0)
        above.append(0)
        if not is_leaf:
            waiting.append((low, middle, node, below))
            waiting.append((middle + 1, high, node, above))
    return {
        "modes": modes,
        "below": below,
        "above": above,
        "cuts": at,
        "counts": counts,
    }

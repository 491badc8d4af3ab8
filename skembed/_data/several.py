"""Cells that hold several tokens: read, told apart, and turned into codes.

A cell may be a list, a set, an array, a list of Arrow or polars, a text with a
delimiter, or a dict (a map of Arrow) from tokens to weights. The order in a cell does
not matter, a token that a cell holds twice weighs twice, and a cell without tokens is
missing. A single value is a cell of one.
"""

from dataclasses import dataclass, replace

import numpy as np

from .cells import Refused, is_missing
from .factorize import Coded, Nested, factorize
from .wording import shown

LISTS = (list, set, frozenset, np.ndarray)
# How cells of text are split where a column is only named.
DELIMITER = "|"


@dataclass(frozen=True, eq=False)
class Values(Coded):
    """The values in the cells of a column, cell by cell; reads as a column of them.

    Attributes
    ----------
    name, codes, uniques
        As in `Coded`, value by value; -1 for that of a cell that is missing.
    rows : ndarray of int of shape (n_values,)
        Which cell each is in.
    amounts : ndarray of float64 of shape (n_values,)
        Its weight in the cell.
    n_rows : int
    """

    rows: np.ndarray
    amounts: np.ndarray
    n_rows: int


def holds_lists(content):
    """Whether the cells of a column are lists (missing ones aside)."""
    if isinstance(content, Nested):
        return True
    if not isinstance(content, np.ndarray) or content.dtype.kind != "O":
        return False
    kinds = set(map(type, content.tolist()))
    return bool(kinds & set(LISTS)) and all(
        issubclass(kind, LISTS) or is_missing_kind(kind, content) for kind in kinds
    )


def is_missing_kind(kind, content):
    """Whether all cells of this type are missing."""
    return all(is_missing(cell) for cell in content.tolist() if type(cell) is kind)


def values_of(content, delimiter, name):
    """The `Values` of what a column holds; see `Column.several`."""
    if isinstance(content, Nested):
        codes, uniques = factorize(content.values)
        amounts = content.amounts
        amounts = np.ones(len(codes)) if amounts is None else amounts
        found = codes, uniques, content.rows, amounts, content.n_rows
    elif isinstance(content, np.ndarray) and content.dtype.kind in "OUS":
        found = _of_cells(content.tolist(), delimiter)
    else:
        codes, uniques = factorize(content)
        one = _of_cells([*uniques.tolist(), None], delimiter)
        found = _repeated(one, np.where(codes < 0, len(uniques), codes))
    return _checked(Values(name, *found))


def _of_cells(cells, delimiter):
    """Codes, distinct values, rows and amounts of the values of Python's cells."""
    values, lengths, weights, known = [], [], [], {}
    for cell in cells:
        if isinstance(cell, str) and delimiter is not None:
            if cell not in known:
                known[cell] = [p.strip() for p in cell.split(delimiter) if p.strip()]
            own = known[cell]
            weights.extend([1.0] * len(own))
        elif isinstance(cell, dict):
            own = list(cell)
            weights.extend(cell.values())
        else:
            if isinstance(cell, (*LISTS, tuple)):
                own = cell.tolist() if isinstance(cell, np.ndarray) else list(cell)
                own = own if isinstance(own, list) else [own]
            else:
                own = [cell]
            weights.extend([1.0] * len(own))
        values.extend(own)
        lengths.append(len(own))
    nested = [v for v in values if isinstance(v, (*LISTS, dict))]
    if nested:
        raise Refused(f"holds lists of lists, such as {shown(nested[0])}", TypeError)
    array = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):  # a tuple among them is one token
        array[i] = value
    codes, uniques = factorize(array)
    rows = np.repeat(np.arange(len(cells)), lengths)
    return codes, uniques, rows, _as_amounts(weights, values), len(cells)


def _as_amounts(weights, values):
    amounts = np.empty(len(weights))
    for i, weight in enumerate(weights):
        try:
            amounts[i] = weight
        except (TypeError, ValueError):
            amounts[i] = np.nan
        if not 0.0 <= amounts[i] < np.inf:
            raise Refused(
                f"gives {shown(values[i])} the weight {shown(weight)} in a cell; "
                "weights are finite numbers, not below 0"
            )
    return amounts


def _repeated(found, which):
    """The values of cells, each as often as it is asked for."""
    codes, uniques, rows, amounts, n = found
    lengths = np.bincount(rows, minlength=n)
    starts = np.cumsum(lengths) - lengths
    own = lengths[which]
    at = np.repeat(starts[which] - (np.cumsum(own) - own), own) + np.arange(own.sum())
    rows = np.repeat(np.arange(len(which)), own)
    return codes[at], uniques, rows, amounts[at], len(which)


def _checked(values):
    """Without missing values in cells that hold others; one for a cell without any."""
    amounts = np.asarray(values.amounts, np.float64)
    if not (np.isfinite(amounts) & (amounts >= 0.0)).all():
        raise Refused("has weights in its cells that are not finite, or below 0")
    kept = (values.codes >= 0) & (amounts > 0.0)
    rows = values.rows[kept]
    empty = np.flatnonzero(np.bincount(rows, minlength=values.n_rows) == 0)
    return replace(
        values,
        codes=np.append(values.codes[kept], np.full(len(empty), -1)).astype(np.int64),
        rows=np.append(rows, empty).astype(np.int64),
        amounts=np.append(amounts[kept], np.ones(len(empty))),
    )


@dataclass(frozen=True)
class SeveralTokens:
    """How the cells of a column of several tokens are read.

    Attributes
    ----------
    delimiter : str or None
        What stands between the tokens in a cell of text; None does not split text.
    combiner : {"mean", "sum"}
        Whether factors of a cell sum to 1, or are its weights.
    """

    delimiter: str | None = None
    combiner: str = "mean"

    def read(self, column):
        """The values of a column, as a column."""
        return column.several(self.delimiter)

    def weights(self, values, weights):
        """The weight of every value, from those of the rows; each counts once."""
        key = values.rows * (len(values.uniques) + 1) + values.codes + 1
        _, first = np.unique(key, return_index=True)
        out = np.zeros(len(values.rows))
        out[first] = weights[values.rows[first]]
        return out

    def part(self, values, codes, unknown):
        """Codes and factors, (n_rows, n_slots) each, from the code of every value.

        Values of one code are one, but for unknown ones, which are not the same.
        """
        apart = np.where(codes == unknown, np.arange(len(codes)) + 1, 0)
        order = np.lexsort([values.amounts, apart, codes, values.rows])
        key = np.stack([values.rows, codes, apart])[:, order]
        first = np.flatnonzero(np.append(True, (key[:, 1:] != key[:, :-1]).any(axis=0)))
        amounts = np.add.reduceat(values.amounts[order], first)
        rows, codes = key[0, first], key[1, first]
        lengths = np.bincount(rows, minlength=values.n_rows)
        if self.combiner == "mean":
            amounts = amounts / np.bincount(rows, amounts, values.n_rows)[rows]
        starts = np.cumsum(lengths) - lengths
        place = np.arange(len(rows)) - starts[rows]
        shape = values.n_rows, int(lengths.max(initial=1))
        out = np.broadcast_to(codes[starts][:, None], shape).astype(np.int32)
        factors = np.zeros(shape)
        out[rows, place], factors[rows, place] = codes, amounts
        return out, factors


@dataclass(frozen=True)
class OneToken:
    """How the cells of a column of one token each are read."""

    def read(self, column):
        """The column itself."""
        return column

    def weights(self, column, weights):
        """The weight of every row."""
        return weights

    def part(self, column, codes, unknown):
        """Codes and factors, (n_rows, 1) each."""
        return codes[:, None], np.broadcast_to(1.0, (len(codes), 1))

"""What the tokens of a column add to the vectors of a row, looked up in one table.

A vector of a row may be a sum of rows of the network's table: of a token, of what it is
within, of what is known of it. All that follows from one column's cell is added up
beforehand, so a graph has one lookup for each column that a vector is made of.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._data.cells import as_objects
from .._data.columns import as_table
from .._data.factorize import factorize
from .._data.lookup import Vocabulary


class Lookup(NamedTuple):
    """What the cells of one column add to one vector of a row.

    Attributes
    ----------
    column, field : int
        Positions among the columns of tokens, and among the vectors of a row.
    tokens : ndarray of object of shape (n_tokens,)
        Those that are told apart, without the missing one: those of fit, in their
        order, and others that are in a mapping or have features.
    known : ndarray of int64 of shape (n_tokens,)
        The row of each; so are `unknown` and `missing`, of all other cells.
    places : ndarray of int64 of shape (n_rows, n_slots)
        Which rows of the network's table each row is made of.
    factors : ndarray of float64 of shape (n_rows, n_slots)
        What these are multiplied by.
    blocks : ndarray of int of shape (n_slots,)
        Blocks of the network's table that they are of.
    """

    column: int
    field: int
    tokens: np.ndarray
    known: np.ndarray
    unknown: int
    missing: int
    places: np.ndarray
    factors: np.ndarray
    blocks: np.ndarray

    def sums(self, values, mask=None, squared=False):
        """Sums of rows of `values`, one per row of the network's table; float64.

        With `squared` factors, as variances add up. `mask` is that of the blocks.
        """
        factors = np.square(self.factors) if squared else self.factors
        out = np.zeros((len(self.places), values.shape[1]))
        for slot, block in enumerate(self.blocks):
            rows = values[self.places[:, slot]]
            rows = rows if mask is None else rows * mask[block]
            out += factors[:, slot, None] * rows
        return out

    def codes(self, fitted, k):
        """Code of every row in a column of tokens, which is this lookup's own."""
        at = np.flatnonzero(self.blocks == k)[0]
        return self.places[:, at] - fitted.offsets[k]

    def of_categories(self, index):
        """Row of each of the categories of its column."""
        known = self.known[: len(index.categories) - index.has_missing]
        return np.append(known, self.missing) if index.has_missing else known

    def numbered(self, start=0, step=1):
        """The same lookup with its rows counted from `start` by `step`."""
        return self._replace(
            known=start + step * self.known,
            unknown=start + step * self.unknown,
            missing=start + step * self.missing,
        )


class Cells:
    """One cell of every token of every column, as the network reads it.

    Parameters
    ----------
    fitted : Fitted
    pool_unknown : bool
        Whether an unknown token counts as one of the pooled rare ones, if there are
        any.
    """

    def __init__(self, fitted, pool_unknown):
        encoder = fitted.encoder
        self.fitted = fitted
        self.tokens = [_tokens(encoder, k) for k in range(len(encoder.tokens))]
        n = max(map(len, self.tokens), default=0) + 2
        cells = np.full((n, len(encoder.is_categorical)), None, dtype=object)
        for j, tokens in zip(
            np.flatnonzero(encoder.is_categorical), self.tokens, strict=True
        ):
            cells[: len(tokens), j] = tokens
            cells[len(tokens), j] = _unlike(tokens)
        encoded = encoder.transform(as_table(cells), pool_unknown)
        self.places = fitted.predictor.places(encoded).astype(np.int64)
        blocks = np.arange(self.places.shape[1])
        self.slots, self.factors = (blocks, blocks, blocks), None
        if encoded.blend is not None:
            self.factors, self.slots = encoded.blend

    def lookups(self, fields, blocks=None):
        """The lookups of these vectors of a row; only of some blocks, if given."""
        field_of, block_of, source, *_ = self.slots
        out = []
        for field in fields:
            own = field_of == field
            if blocks is not None:
                own &= np.isin(block_of, blocks)
            for column in dict.fromkeys(source[own].tolist()):
                at = np.flatnonzero(own & (source == column))
                out.append(self._lookup(column, field, at))
        return out

    def _lookup(self, column, field, slots):
        tokens = self.tokens[column]
        places = self.places[: len(tokens) + 2, slots]
        factors = np.ones(places.shape)
        if self.factors is not None:
            factors = self.factors[: len(tokens) + 2, slots]
        first, row = _distinct(places, factors)
        return Lookup(
            column,
            field,
            tokens,
            row[:-2],
            int(row[-2]),
            int(row[-1]),
            places[first],
            factors[first],
            np.asarray(self.slots[1])[slots],
        )


def first_rows(lookups):
    """First row of every lookup, where they stand one below the other."""
    return np.cumsum([0, *(len(one.places) for one in lookups)])[:-1].tolist()


def refuse_several(encoder, columns):
    """Raise if cells of a column hold several tokens."""
    for j in encoder.multi_valued:
        raise TypeError(
            f"The cells of column {columns[j].name!r} hold several tokens, which "
            "to_onnx does not translate. Export model_ by Keras, "
            "model_.export(path, format='onnx'), which reads model_inputs, or the "
            "vectors by to_parquet."
        )


def _tokens(encoder, k):
    """The tokens of a column of which anything is known, without the missing one.

    Those of fit come first, in their order.
    """
    index, parts = encoder.tokens[k], []
    own = _as_array(index.categories[: len(index.categories) - index.has_missing])
    for level in encoder.levels:
        if level.mapping is not None and encoder.column_of(level) == k:
            parts.append(_as_array(level.mapping.children.tokens))
    for known in encoder.described:
        if known.column == k:
            parts.append(_as_array(known.tokens.tokens))
    if not parts:
        return own
    _, distinct = factorize(np.concatenate(parts))
    new = Vocabulary(own).positions(distinct) < 0
    return np.concatenate([own, _as_array(distinct[new])])


def _as_array(tokens):
    out = np.empty(len(tokens), dtype=object)
    out[:] = as_objects(tokens)
    return out


def _unlike(tokens):
    """A text that is none of these tokens."""
    known = {token for token in tokens.tolist() if isinstance(token, str)}
    text = "unknown"
    while text in known:
        text += "_"
    return text


def _distinct(places, factors):
    """First position of every distinct row, and which of these each row is."""
    by = places
    if (factors != 1.0).any():
        by = np.concatenate([places, factors], axis=1)
    if by.shape[1] == 1:
        by = by[:, 0]
    _, first, row = np.unique(by, axis=0, return_index=True, return_inverse=True)
    return first, row.reshape(-1).astype(np.int64)

"""What slopes, curves and crosses add to the outputs, as values of a graph of ONNX.

They are in no vector that the layers read: in the last one of a row, whose rows of the
network's table are found from the tokens of one column and a number, or of two columns.
"""

from __future__ import annotations

import numpy as np

from .. import _settings as settings
from .._data.crosses import PER_CODE
from ._graph import ML
from ._lookups import first_rows


class Direct:
    """Sums of rows of the blocks that only add to the outputs.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    lookups : list of Lookup
    tokens : list of str
        As `Outcomes` has them.
    numbers : Numbers
    """

    def __init__(self, g, fitted, lookups, tokens, numbers):
        self.g = g
        self.fitted = fitted
        self.lookups = lookups
        self.tokens = tokens
        self.numbers = numbers
        encoder = fitted.encoder
        slopes = [(block, *self._slope(one)) for block, one in encoder.slope_blocks]
        crosses = [
            (block, self._pair(one), None) for block, one in encoder.cross_blocks
        ]
        self.parts = slopes + crosses

    def added_to(self, vectors, values, squared=False):
        """All vectors of the rows with what `values`, row by row of the table, add.

        Parameters
        ----------
        vectors : str
            (n_rows, n_fields * width)
        values : ndarray of shape (n_table_rows, width)
        squared : bool
            Whether factors are squared, as those of variances.
        """
        g, fitted = self.g, self.fitted
        n, width = fitted.architecture.n_first, fitted.architecture.width
        place = np.zeros((n, fitted.n_fields * width), np.float32)
        place[:, (fitted.n_fields - 1) * width :][:, :n] = np.eye(n)
        for block, rows, factor in self.parts:
            start = fitted.offsets[block]
            table = values[start : start + fitted.encoder.column_sizes[block], :n]
            found = g.rows(table.astype(np.float32), g.shaped(rows, -1))
            if factor is not None:
                factor = g.add("Mul", factor, factor) if squared else factor
                found = g.add("Mul", found, g.cast(factor, np.float32))
            vectors = g.add("Add", vectors, g.add("MatMul", found, place))
        return vectors

    def _codes(self, k):
        """Codes of a column of tokens, (n_rows,)."""
        of_own = [(one.column, one.field) for one in self.lookups]
        at = of_own.index((k, self.fitted.encoder.field_of(k)))
        start = np.int64(first_rows(self.lookups)[at])
        place = self.g.shaped(self.g.add("Sub", self.tokens[at], start), -1)
        return self.g.rows(self.lookups[at].codes(self.fitted, k), place)

    def _slope(self, one):
        """Rows of the block of a slope, and their factors, (n_rows, 1)."""
        g, scale = self.g, self.fitted.encoder.scales[one.number]
        rows, at = self._codes(one.column), [one.number]
        if not one.is_curve:
            most = np.float64(settings.SLOPE_FARTHEST)
            z = g.columns(self.numbers.standardised, at)
            z = g.add("Sub", g.add("Clip", z, -most, most), np.float64(one.origin))
            return rows, g.add("Mul", z, g.columns(self.numbers.known, at))
        if one.wave >= len(scale.knots):
            return rows, g.value(np.zeros((1, 1)))
        z = g.columns(self.numbers.squashed, at)
        pieces = g.add("Sub", z, scale.knots[:-1].astype(np.float64))
        pieces = g.add("Div", pieces, np.diff(scale.knots).astype(np.float64))
        pieces = g.add("Clip", pieces, np.float64(0), np.float64(1))
        turn = np.float64(np.pi * one.wave / (len(scale.knots) - 1))
        wave = g.add("Cos", g.add("Mul", g.total(pieces, 1, keep=True), turn))
        wave = g.add("Mul", wave, np.float64(np.sqrt(2.0)))
        known = g.columns(self.numbers.known, at)
        return rows, g.add("Mul", wave, known)

    def _pair(self, cross):
        """Rows of the block of a cross."""
        g = self.g
        first, second = (self._codes(k) for k in cross.columns)
        key = g.add("Add", g.add("Mul", first, np.int64(PER_CODE)), second)
        return g.add(
            "LabelEncoder",
            key,
            domain=ML,
            keys_int64s=cross.keys.tolist() or [-1],
            values_int64s=list(range(len(cross.keys))) or [0],
            default_int64=len(cross.keys),
        )

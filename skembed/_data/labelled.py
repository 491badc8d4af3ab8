"""Rows of a source with their outcomes and weights, which are columns like others."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from .. import _settings as settings
from . import frames
from .columns import as_tokens
from .sources import Source, rows_at_once, source_of
from .wording import shown


@contextmanager
def counted_from(start):
    """Add to an error's message from where on its rows are counted."""
    try:
        yield
    except Exception as error:
        error.add_note(f"Rows are counted from row {start} of the source.")
        raise


@dataclass(frozen=True)
class Labelled:
    """A source, and which of its columns are what.

    Attributes
    ----------
    source : Source
    features : list of str
        The columns of `X`.
    y : str or list of str
    weight : str or None
    """

    source: Source
    features: list
    y: str | list
    weight: str | None

    @classmethod
    def of(cls, X, y, sample_weight):
        """What the parameters of a fit stand for, where `X` is a source.

        Raises
        ------
        TypeError
            If `y` or `sample_weight` is something other than names of columns.
        ValueError
            If `X` does not have these columns, or no others.
        """
        source, several = source_of(X), isinstance(y, list | tuple)
        own = list(y) if several else [y]
        if not own or not all(isinstance(name, str) for name in own):
            raise TypeError(
                f"X is read in pieces, so y must be the name of one of its columns (or "
                f"a list of names); got {shown(y)}."
            )
        if not (sample_weight is None or isinstance(sample_weight, str)):
            raise TypeError(
                "X is read in pieces, so sample_weight must be the name of one of its "
                f"columns, or None; got {shown(sample_weight)}."
            )
        apart = own if sample_weight is None else [*own, sample_weight]
        source.refuse_missing(apart)
        features = [name for name in source.names if name not in apart]
        if not features:
            raise ValueError(f"{source.shown} has no columns beside {apart}.")
        return cls(source, features, own if several else y, sample_weight)

    @property
    def shown(self):
        """What messages call them."""
        return self.source.shown

    @property
    def outcomes(self):
        """Names of the columns of outcomes."""
        return [self.y] if isinstance(self.y, str) else self.y

    def parts(self, features=None):
        """Tables of some features with their outcomes and weights, piece by piece.

        Parameters
        ----------
        features : list of str, default=None
            None: all.

        Yields
        ------
        table : data frame
        y : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        weights : ndarray of shape (n_rows,) or None
        """
        features, own = self.features if features is None else features, self.outcomes
        apart = own if self.weight is None else [*own, self.weight]
        for table in self.source.tables(list(dict.fromkeys([*features, *apart]))):
            columns = [as_tokens(table[name]) for name in apart]
            y = columns[0]
            if not isinstance(self.y, str):
                y = np.stack(columns[: len(own)], axis=1)
            weights = None if self.weight is None else columns[-1]
            yield frames.select(table, features), y, weights

    def whole(self):
        """All rows in memory: `X`, `y` and the weights; None where they are too many.

        The limit is that of `settings.IN_MEMORY_CELLS`.
        """
        kept, n = [], 0
        for part in self.parts():
            n += len(part[1]) * len(self.features)
            if n > settings.IN_MEMORY_CELLS:
                return None
            kept.append(part)
        if not kept:
            raise ValueError(
                f"Found array with 0 sample(s): {self.source.shown} holds no rows, "
                "while a minimum of 1 is required."
            )
        tables, y, weights = zip(*kept, strict=True)
        weights = None if self.weight is None else np.concatenate(weights)
        return frames.stacked(list(tables)), np.concatenate(y), weights


class LabelledParts:
    """Tables in memory with their outcomes and weights: the parts of a larger one.

    It is read like `Labelled`.

    Parameters
    ----------
    parts : list of (data frame, ndarray, ndarray or None)
    """

    shown, weight, outcomes = "X in parts", "sample_weight", None

    def __init__(self, parts):
        self._parts = parts

    def parts(self, features=None):
        """The parts, of as many rows as are read at once; always all features."""
        for table, y, weights in self._parts:
            step = rows_at_once(settings.CHUNK_ROWS, max(1, table.shape[1]))
            for start in range(0, len(y), step):
                at = slice(start, start + step)
                own = None if weights is None else weights[at]
                yield frames.part(table, start, start + step), y[at], own

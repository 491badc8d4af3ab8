"""A table -> codes of its tokens and numbers: columns chosen, tokenised, scaled."""

from typing import NamedTuple

import numpy as np

from .columns import read
from .numbers import NumberScale
from .tokens import TokenIndex
from .wording import several, shown


class Encoded(NamedTuple):
    """A table as the network reads it.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_rows, n_categorical + n_binned)
        Codes of the tokens, followed by those of the bins of the numbers.
    numbers : ndarray of float64 of shape (n_rows, n_numbers)
    """

    codes: np.ndarray
    numbers: np.ndarray


class FeatureEncoder:
    """What was learned about the columns of a table.

    Attributes
    ----------
    is_categorical : ndarray of bool of shape (n_features,)
    tokens : list of TokenIndex, one per categorical column
    scales : list of NumberScale, one per numeric column
    with_bins : bool
        Whether numbers come as codes of quantile bins, too.
    """

    def __init__(self, is_categorical, with_bins):
        self.is_categorical = is_categorical
        self.with_bins = with_bins
        self.tokens = []
        self.scales = []

    def fit_transform(self, X, weights, min_frequency, max_categories):
        """Learn from the rows of `X` and encode them."""
        codes = []
        values = []
        for column, is_token in zip(read(X), self.is_categorical, strict=True):
            if is_token:
                index, row_codes = TokenIndex.fit(
                    column, weights, min_frequency, max_categories
                )
                self.tokens.append(index)
                codes.append(row_codes)
            else:
                values.append(column.floats())
                self.scales.append(NumberScale(values[-1], weights))
        return self._assemble(codes, values, len(weights))

    def grow_transform(self, X, weights):
        """Encode `X`, adding the tokens that are new; the numbers' scales stay.

        Returns a new encoder beside the encoded rows: this one is left as it was.
        """
        other = FeatureEncoder(self.is_categorical, self.with_bins)
        other.scales = self.scales
        codes, values = [], []
        tokens = iter(self.tokens)
        for column, is_token in zip(read(X), self.is_categorical, strict=True):
            if is_token:
                index, row_codes = next(tokens).grown(column, weights)
                other.tokens.append(index)
                codes.append(row_codes)
            else:
                values.append(column.floats())
        return other, other._assemble(codes, values, len(weights))

    def transform(self, X, pool_unknown=True):
        """Encode the rows of `X`."""
        tokens = iter(self.tokens)
        codes, values = [], []
        n = X.shape[0]
        for column, is_token in zip(read(X), self.is_categorical, strict=True):
            if is_token:
                codes.append(next(tokens).transform(column, pool_unknown))
            else:
                values.append(column.floats())
        return self._assemble(codes, values, n)

    def refuse_unknown(self, X):
        """Raise if `X` has a token that was not seen in fit."""
        tokens = iter(self.tokens)
        for column, is_token in zip(read(X), self.is_categorical, strict=True):
            if is_token:
                unknown = next(tokens).unknown_tokens(column)
                if unknown:
                    raise ValueError(
                        f"Found unknown tokens {several(unknown)} in column "
                        f"{column.name!r}. Set handle_unknown='infrequent_if_exist' or "
                        "'prior' to give unknown tokens a vector."
                    )

    def _assemble(self, codes, values, n):
        numbers = [
            z
            for scale, v in zip(self.scales, values, strict=True)
            for z in scale.transform(v)
        ]
        if self.with_bins:
            pairs = zip(self.scales, values, strict=True)
            codes = codes + [scale.bins(v) for scale, v in pairs if scale.is_binned]
        return Encoded(
            np.stack(codes, axis=1) if codes else np.zeros((n, 0), np.int32),
            np.stack(numbers, axis=1) if numbers else np.zeros((n, 0)),
        )

    def exchanged(self, encoded, rows, column):
        """Encoded rows with the cells of one column of `X` from other rows.

        Parameters
        ----------
        encoded : Encoded
        rows : ndarray of int of shape (n_rows,)
            From which row each takes the cell.
        column : int
            Position of the column in `X`.
        """
        codes, numbers = encoded.codes.copy(), encoded.numbers.copy()
        own_codes, own_numbers = self._places[column]
        codes[:, own_codes] = codes[np.ix_(rows, own_codes)]
        numbers[:, own_numbers] = numbers[np.ix_(rows, own_numbers)]
        return Encoded(codes, numbers)

    @property
    def _places(self):
        """For every column of `X` its columns in the codes and in the numbers."""
        places, k, n_bins, n_numbers = [], 0, len(self.tokens), 0
        scales = iter(self.scales)
        for is_token in self.is_categorical:
            if is_token:
                places.append(([k], []))
                k += 1
                continue
            scale = next(scales)
            binned = [n_bins] * (self.with_bins and scale.is_binned)
            width = 1 + scale.has_missing
            places.append((binned, list(range(n_numbers, n_numbers + width))))
            n_bins, n_numbers = n_bins + len(binned), n_numbers + width
        return places

    @property
    def column_sizes(self):
        """Number of codes of every column of :attr:`Encoded.codes`."""
        sizes = [index.n_codes for index in self.tokens]
        bins = [s.n_bins for s in self.scales if s.is_binned]
        return sizes + bins * self.with_bins

    @property
    def knots(self):
        """Column, start and 1 / length of every piece of the linear encoding."""
        column, low, scale = [], [], []
        j = 0
        for s in self.scales:
            pieces = max(len(s.knots) - 1, 0)
            column += [j] * pieces
            low += list(s.knots[:-1])
            scale += list(1.0 / np.diff(s.knots))
            j += 1 + s.has_missing
        return (
            np.array(column, np.int32),
            np.array(low, np.float32),
            np.array(scale, np.float32),
        )


def choose_categorical(X, wanted, names):
    """Mask of the categorical columns.

    Parameters
    ----------
    X : table or ndarray
    wanted : "auto", "all", None or array-like of names, indices or bool
        None stands for no categorical column.
    names : ndarray of str or None
        Names of the columns, where they have any.
    """
    n = X.shape[1]
    if wanted is None:
        return np.zeros(n, dtype=bool)
    if isinstance(wanted, str) and wanted == "all":
        return np.ones(n, dtype=bool)
    if isinstance(wanted, str) and wanted == "auto":
        return np.array([not c.is_float for c in read(X)], dtype=bool)
    wanted = _as_list(wanted)
    kinds = {type(key) for key in wanted}
    if len(kinds) > 1:
        raise ValueError(
            "categorical_features must hold names, indices or a boolean mask, not a "
            f"mixture of them; got {shown(wanted)}."
        )
    if kinds == {bool}:
        wanted = np.array(wanted)
        if wanted.shape != (n,):
            raise ValueError(
                "categorical_features set as a boolean mask must have shape "
                f"({n},), one entry per column of X; got shape {wanted.shape}."
            )
        return wanted
    mask = np.zeros(n, dtype=bool)
    for key in wanted:
        mask[_position(key, n, names)] = True
    return mask


def _as_list(wanted):
    """Names, indices or truth values as Python has them, so that True is not 1."""
    if not isinstance(wanted, list | tuple):
        wanted = np.asarray(wanted, dtype=object).reshape(-1)
    return [key.item() if isinstance(key, np.generic) else key for key in wanted]


def _position(key, n, names):
    if isinstance(key, str):
        if names is None:
            raise ValueError(
                f"categorical_features names the column {key!r}, but X has no column "
                "names. Use indices, a mask or 'all', or pass a data frame."
            )
        at = np.flatnonzero(np.asarray(names) == key)
        if len(at) == 0:
            raise ValueError(
                f"categorical_features names the column {key!r}, which X does not "
                f"have; its columns are {list(names)}."
            )
        return at[0]
    if not isinstance(key, int):
        raise ValueError(
            "categorical_features must be 'auto', 'all', None, or an array-like of "
            f"column names, column indices or a boolean mask; got an entry {key!r}."
        )
    if not -n <= key < n:
        raise ValueError(
            f"categorical_features has the index {key}, but X has {n} columns."
        )
    return key

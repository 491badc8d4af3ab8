"""A table -> codes of its tokens and numbers: columns chosen, tokenised, scaled."""

import numpy as np

from .blend import assembled
from .columns import read
from .encoded import Encoded
from .numbers import NumberScale
from .several import OneToken, SeveralTokens
from .tokens import TokenIndex
from .wording import several


class FeatureEncoder:
    """What was learned about the columns of a table.

    Attributes
    ----------
    is_categorical : ndarray of bool of shape (n_features,)
    readers : list, one per categorical column
        How its cells are read: `OneToken` or `SeveralTokens`.
    tokens : list of TokenIndex, one per categorical column
    scales : list of NumberScale, one per numeric column
    with_bins : bool
        Whether numbers come as codes of quantile bins, too.
    """

    def __init__(self, is_categorical, with_bins, readers=None):
        self.is_categorical = is_categorical
        self.with_bins = with_bins
        if readers is None:
            readers = [OneToken()] * int(np.sum(is_categorical))
        self.readers = readers
        self.tokens = []
        self.scales = []

    def __setstate__(self, state):
        self.__init__(state["is_categorical"], state["with_bins"])
        vars(self).update(state)

    def fit_transform(self, X, weights, min_frequency, max_categories):
        """Learn from the rows of `X` and encode them."""

        def learned(k, column, reader):
            of_values = reader.weights(column, weights)
            index, codes = TokenIndex.fit(
                column, of_values, min_frequency, max_categories, weights.sum()
            )
            self.tokens.append(index)
            return codes

        columns, values = self._read(X)
        self.scales = [NumberScale(value, weights) for value in values]
        return self._assemble(columns, values, learned, len(weights))

    def grow_transform(self, X, weights):
        """Encode `X`, adding the tokens that are new; the numbers' scales stay.

        Returns a new encoder beside the encoded rows: this one is left as it was.
        """
        other = FeatureEncoder(self.is_categorical, self.with_bins, self.readers)
        other.scales = self.scales

        def grown(k, column, reader):
            of_values = reader.weights(column, weights)
            index, codes = self.tokens[k].grown(column, of_values)
            other.tokens.append(index)
            return codes

        columns, values = self._read(X)
        return other, other._assemble(columns, values, grown, len(weights))

    def transform(self, X, pool_unknown=True):
        """Encode the rows of `X`."""

        def known(k, column, reader):
            return self.tokens[k].transform(column, pool_unknown)

        columns, values = self._read(X)
        return self._assemble(columns, values, known, X.shape[0])

    def refuse_unknown(self, X):
        """Raise if `X` has a token that was not seen in fit."""
        columns, _ = self._read(X)
        for index, column in zip(self.tokens, columns, strict=True):
            unknown = index.unknown_tokens(column)
            if unknown:
                raise ValueError(
                    f"Found unknown tokens {several(unknown)} in column "
                    f"{column.name!r}. Set handle_unknown='infrequent_if_exist' or "
                    "'prior' to give unknown tokens a vector."
                )

    def _read(self, X):
        """Columns of tokens, as their readers have them, and values of numbers."""
        columns, values, readers = [], [], iter(self.readers)
        for column, is_token in zip(read(X), self.is_categorical, strict=True):
            if is_token:
                columns.append(next(readers).read(column))
            else:
                values.append(column.floats())
        return columns, values

    def _assemble(self, columns, values, codes_of, n):
        """Encoded rows; `codes_of` gives the codes of the tokens of a column."""
        parts, triples = [], zip(columns, self.readers, strict=True)
        for k, (column, reader) in enumerate(triples):
            codes = codes_of(k, column, reader)
            parts.append(reader.part(column, codes, self.tokens[k].unknown, k))
        pairs = list(zip(self.scales, values, strict=True))
        if self.with_bins:
            for scale, value in pairs:
                if scale.is_binned:
                    k = len(parts)
                    parts.append(OneToken().part(None, scale.bins(value), -1, k))
        numbers = [z for scale, value in pairs for z in scale.transform(value)]
        codes, blend = np.zeros((n, 0), np.int32), None
        if self.has_blends:
            codes, blend = assembled(parts)
        elif parts:
            codes = np.concatenate([part.codes for part in parts], axis=1)
        numbers = np.stack(numbers, axis=1) if numbers else np.zeros((n, 0))
        return Encoded(codes, numbers, blend)

    @property
    def multi_valued(self):
        """Position of each column of several tokens, and its delimiter."""
        columns = np.flatnonzero(self.is_categorical).tolist()
        pairs = zip(columns, self.readers, strict=True)
        return {j: r.delimiter for j, r in pairs if isinstance(r, SeveralTokens)}

    @property
    def has_blends(self):
        """Whether there are vectors that are blended of several rows of the table."""
        return any(isinstance(reader, SeveralTokens) for reader in self.readers)

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
        field, own = self._places[column]
        numbers[:, own] = numbers[np.ix_(rows, own)]
        blend, own = encoded.blend, field
        if blend is not None:
            own = np.flatnonzero(np.isin(blend.slots.field, field))
            factors = blend.factors.copy()
            factors[:, own] = factors[np.ix_(rows, own)]
            blend = blend._replace(factors=factors)
        codes[:, own] = codes[np.ix_(rows, own)]
        return Encoded(codes, numbers, blend)

    @property
    def _places(self):
        """For every column of `X` its fields, and its columns in the numbers."""
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
    def n_fields(self):
        """Number of vectors of a row: of tokens, and of bins of numbers."""
        return len(self.tokens) + sum(s.is_binned for s in self.scales) * self.with_bins

    @property
    def column_sizes(self):
        """Number of codes of every block of the table of vectors."""
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

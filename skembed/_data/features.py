"""A table -> codes of its tokens and numbers: columns chosen, tokenised, scaled."""

from copy import copy
from dataclasses import replace

import numpy as np

from .blend import NOWHERE, Part, assembled, parted
from .blocks import Blocks
from .columns import read
from .crosses import Cross
from .encoded import Encoded
from .numbers import NumberScale, bins_each
from .several import OneToken, SeveralTokens
from .shared import fit_shared, grown_shared
from .tokens import TokenIndex
from .wording import several


class FeatureEncoder(Blocks):
    """What was learned about the columns of a table.

    Attributes
    ----------
    is_categorical : ndarray of bool of shape (n_features,)
    readers : list, one per categorical column
        How its cells are read: `OneToken` or `SeveralTokens`.
    shared : sequence of Shared
        Columns of tokens that share a vocabulary.
    levels : list of Level
        What the tokens of columns are within; those of a column from its parents up.
    described : sequence of TokenFeatures
        What is known of the tokens of columns besides.
    slopes : sequence of Slope
        Numbers that act differently by token.
    crosses : sequence of Cross
        Pairs of columns that are a column, too.
    tokens : list of TokenIndex, one per categorical column
    scales : list of NumberScale, one per numeric column
    with_bins : bool
        Whether numbers come as codes of quantile bins, too.
    """

    def __init__(
        self,
        is_categorical,
        with_bins,
        readers=None,
        shared=(),
        levels=(),
        described=(),
        slopes=(),
    ):
        self.is_categorical = is_categorical
        self.with_bins = with_bins
        if readers is None:
            readers = [OneToken()] * int(np.sum(is_categorical))
        self.readers = readers
        self.shared = shared
        self.levels = list(levels)
        self.described = described
        self.slopes = slopes
        self.crosses = []
        self.tokens = []
        self.scales = []

    def __setstate__(self, state):
        self.__init__(state["is_categorical"], state["with_bins"])
        vars(self).update(state)

    def fit_transform(self, X, weights, min_frequency, max_categories):
        """Learn from the rows of `X` and encode them."""
        columns, values = self._read(X)
        limits, total = (min_frequency, max_categories), weights.sum()
        weights_of = self._weights(columns, weights)
        self.tokens, codes = self._by_column(
            lambda k: TokenIndex.fit(columns[k], weights_of[k], *limits, total),
            lambda own: fit_shared(
                [columns[k] for k in own], [weights_of[k] for k in own], *limits
            ),
        )
        parents = self._climb(columns, codes, lambda one, c: one.fitted(c, weights))
        self._see_parents(codes, parents, weights)
        most = bins_each(len(values))
        self.scales = [NumberScale(value, weights, most) for value in values]
        return self._assemble(columns, codes, parents, values, len(weights))

    def grow_transform(self, X, weights):
        """Encode `X`, adding the tokens that are new; the numbers' scales stay.

        Returns a new encoder beside the encoded rows: this one is left as it was.
        """
        other = copy(self)
        columns, values = self._read(X)
        weights_of = self._weights(columns, weights)
        other.tokens, codes = self._by_column(
            lambda k: self.tokens[k].grown(columns[k], weights_of[k]),
            lambda own: grown_shared(
                [self.tokens[k] for k in own],
                [columns[k] for k in own],
                [weights_of[k] for k in own],
            ),
        )
        other.levels = list(self.levels)
        parents = other._climb(columns, codes, lambda one, c: one.grown(c, weights))
        other._see_parents(codes, parents, weights)
        other.crosses = [
            one.grown(*other._pair(one, codes), weights) for one in self.crosses
        ]
        rows = other._assemble(columns, codes, parents, values, len(weights), True)
        return other, rows

    def transform(self, X, pool_unknown=True):
        """Encode the rows of `X`."""
        columns, values = self._read(X)
        pairs = zip(self.tokens, columns, strict=True)
        codes = [index.transform(column, pool_unknown) for index, column in pairs]
        parents = self._climb(
            columns, codes, lambda one, c: (one, one.index.transform(c, pool_unknown))
        )
        return self._assemble(columns, codes, parents, values, X.shape[0])

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

    def _weights(self, columns, weights):
        """Weight of every value, column by column."""
        pairs = zip(self.readers, columns, strict=True)
        return [reader.weights(column, weights) for reader, column in pairs]

    def _by_column(self, of_one, of_several):
        """Index and codes of every column, alone or with those that it shares with."""
        indices, codes = [None] * len(self.readers), [None] * len(self.readers)
        for group in self.shared:
            for k, *found in zip(
                group.columns, *of_several(group.columns), strict=True
            ):
                indices[k], codes[k] = found
        for k in range(len(self.readers)):
            if indices[k] is None:
                indices[k], codes[k] = of_one(k)
        return indices, codes

    def _climb(self, columns, codes, codes_of):
        """Code of the parent of every row, level by level.

        `codes_of` gives a level, with what it has learned, and the codes of the parents
        in a column that follows from a mapping.
        """
        found, cells = [], []
        for i, level in enumerate(self.levels):
            if level.column is not None:
                cells.append(columns[level.column])
                found.append(codes[level.column])
                continue
            if level.same is not None:
                cells.append(cells[level.same])
                found.append(found[level.same])
                continue
            below = columns[level.child] if level.below is None else cells[level.below]
            cells.append(level.mapping.read(below))
            self.levels[i], own = codes_of(level, cells[-1])
            found.append(own)
        return found

    def _see_parents(self, codes, parents, weights):
        """Learn which parent each token usually has."""
        for i, (level, own) in enumerate(zip(self.levels, parents, strict=True)):
            size = self.tokens[level.child].n_codes, self._size(level)
            self.levels[i] = level.seen(codes[level.child], own, weights, size)

    def _size(self, level):
        """Number of codes of the parents of a level."""
        if level.column is not None:
            return self.tokens[level.column].n_codes
        return (level if level.same is None else self.levels[level.same]).index.n_codes

    def _assemble(self, columns, codes, parents, values, n, is_learned=False):
        """Encoded rows, from the code of every value of the columns of tokens."""
        parts, own = [], list(self._parts(columns, codes))
        features = dict(self._feature_blocks)
        for field, k in enumerate(self.fields):
            for block in [k, *self._shared_blocks(k)]:
                parts.append(Part(*own[k], field, block, k))
            for i, level in enumerate(self.levels):
                if level.child == k:
                    part = OneToken().part(None, parents[i], -1)
                    source = self.column_of(level)
                    parts.append(Part(*part, field, self._level_blocks[i], source))
            for block, known in features.items():
                if known.column == k:
                    parts.append(Part(*known.part(columns[k]), field, block, k))
        pairs = list(zip(self.scales, values, strict=True))
        starts = len(self.fields), self.n_token_blocks
        for n_before, (j, scale) in enumerate(self.binned):
            part = OneToken().part(None, scale.bins(values[j]), -1)
            places = (n_before + start for start in starts)
            parts.append(Part(*part, *places, len(columns) + j))
        for block, one in self.slope_blocks:
            k, j = one.column, one.number
            part = one.part(*own[k], self.scales[j], values[j])
            parts.append(Part(*part, *self.unread, block, k, len(columns) + j))
        parts += self._crossed_parts(codes, is_learned)
        numbers = [z for scale, value in pairs for z in scale.transform(value)]
        numbers = np.stack(numbers, axis=1) if numbers else np.zeros((n, 0))
        if self.has_blends:
            codes, blend = assembled(parts)
            return Encoded(codes, numbers, blend)
        codes = [np.zeros((n, 0), np.int32), *(part.codes for part in parts)]
        return Encoded(np.concatenate(codes, axis=1, dtype=np.int32), numbers)

    def counted_from(self, encoded, origins):
        """The encoder with slopes counted from elsewhere, and rows encoded by it.

        Parameters
        ----------
        encoded : Encoded
            The rows of fit, with slopes counted from the means.
        origins : dict of Slope to float
        """
        other, factors = copy(self), encoded.blend.factors.copy()
        other.slopes = [
            replace(one, origin=origins.get(one, 0.0)) for one in self.slopes
        ]
        places = self.number_places
        for block, one in other.slope_blocks:
            at = encoded.blend.slots.of_block(block)
            missing = encoded.numbers[:, places[one.number][1:]].any(axis=1)
            factors[:, at] -= np.where(missing, 0.0, one.origin)[:, None]
        return other, encoded._replace(blend=encoded.blend._replace(factors=factors))

    def crossed(self, encoded, pairs, weights):
        """The encoder with pairs of columns crossed, and rows encoded by it.

        Parameters
        ----------
        encoded : Encoded
            The rows of fit, without crosses.
        pairs : list of (int, int)
            Positions among the columns of tokens.
        weights : ndarray of shape (n_rows,)
        """
        if not pairs:
            return self, encoded
        other, before = copy(self), self.n_token_blocks
        codes = [encoded.of_block(k)[0][:, 0] for k in range(len(self.readers))]
        crosses = [Cross(tuple(pair)) for pair in pairs]
        other.crosses = [one.grown(*self._pair(one, codes), weights) for one in crosses]
        parts = [
            part._replace(block=part.block + len(crosses) * (part.block >= before))
            for part in self._as_parts(encoded)
        ]
        more = other._crossed_parts(codes, is_learned=True)
        codes, blend = assembled([*parts, *more])
        return other, Encoded(codes, encoded.numbers, blend)

    def _as_parts(self, encoded):
        """The parts of encoded rows; without a blend each column is one."""
        if encoded.blend is not None:
            return parted(encoded.codes, encoded.blend)
        columns, ones = encoded.codes.T[:, :, None], np.ones((len(encoded.codes), 1))
        return [
            Part(column, ones, k, k, source)
            for k, (column, source) in enumerate(
                zip(columns, self._sources, strict=True)
            )
        ]

    def _crossed_parts(self, codes, is_learned=False):
        """The parts of the crosses, from the codes of every column of tokens.

        Rows that are learned from leave pairs without a row of their own alone: what
        stands for them keeps the spread of the prior.
        """
        for block, one in self.cross_blocks:
            first, second, _ = self._pair(one, codes)
            own, factors = OneToken().part(None, one.codes(first, second), -1)
            if is_learned:
                factors = (own < one.size - 1).astype(float)
            yield Part(own, factors, *self.unread, block, NOWHERE)

    def can_be_crossed(self, k):
        """Whether a column of tokens has one token in every cell."""
        return not isinstance(self.readers[k], SeveralTokens)

    def codes_by_column(self, encoded):
        """Codes of the columns that can be crossed, and of bins, side by side."""
        blocks = [k for k in range(len(self.readers)) if self.can_be_crossed(k)]
        blocks += range(self.n_token_blocks, len(self.column_sizes))
        return np.stack([encoded.of_block(k)[0][:, 0] for k in blocks], axis=1)

    def _pair(self, cross, codes):
        """Codes of the two columns of a cross, and where both tokens are known."""
        pair, known = [], True
        for k in cross.columns:
            pair.append(np.asarray(codes[k], np.int64))
            known = known & (pair[-1] != self.tokens[k].unknown)
        return *pair, known

    def _parts(self, columns, codes):
        """Codes and factors of the cells of every column of tokens."""
        for reader, index, *found in zip(
            self.readers, self.tokens, columns, codes, strict=True
        ):
            yield reader.part(*found, index.unknown)

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
        source, own = self._places[column]
        numbers = _from_rows(encoded.numbers, rows, own)
        blend, sources = encoded.blend, self._sources
        if blend is not None:
            sources = blend.slots.source
            own = np.flatnonzero(blend.slots.measure == source)
            blend = blend._replace(factors=_from_rows(blend.factors, rows, own))
        own = np.flatnonzero(np.asarray(sources) == source)
        codes = _from_rows(encoded.codes, rows, own)
        changed = Encoded(codes, numbers, blend)
        if self.crosses:
            self._cross_again(changed)
        return changed

    def _cross_again(self, encoded):
        """Put the pairs in their place that encoded rows have now."""
        codes = [encoded.of_block(k)[0][:, 0] for k in range(len(self.readers))]
        for part in self._crossed_parts(codes):
            at = encoded.blend.slots.of_block(part.block)
            encoded.codes[:, at] = part.codes
            encoded.blend.factors[:, at] = part.factors

    @property
    def _sources(self):
        """Source of every column of codes, where each is a vector."""
        n = len(self.readers)
        return [*range(n), *(n + j for j, _ in self.binned)]

    @property
    def _places(self):
        """For every column of `X` its source of slots, and columns in the numbers."""
        places, k = [], 0
        numbers = enumerate(self.number_places, len(self.readers))
        for is_token in self.is_categorical:
            if is_token:
                places.append((k, []))
                k += 1
                continue
            places.append(next(numbers))
        return places

    @property
    def knots(self):
        """Column, start and 1 / length of every piece of the linear encoding."""
        column, low, scale = [], [], []
        for (j, *_), s in zip(self.number_places, self.scales, strict=True):
            pieces = max(len(s.knots) - 1, 0)
            column += [j] * pieces
            low += list(s.knots[:-1])
            scale += list(1.0 / np.diff(s.knots))
        return (
            np.array(column, np.int32),
            np.array(low, np.float32),
            np.array(scale, np.float32),
        )


def _from_rows(values, rows, columns):
    """A copy of `values` with these columns of other rows."""
    values = values.copy()
    values[:, columns] = values[np.ix_(rows, columns)]
    return values

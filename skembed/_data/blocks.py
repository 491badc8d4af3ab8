"""The table of vectors: which blocks it has, and what each is for.

A block for each column of tokens, one for all that some columns share, one for parents
that are no column, one for the map of features of a column's tokens, one for the slopes
of a number by a column's tokens, one for the pairs of two columns, and one for the bins
of each number. A vector of a row, a field, is a sum of rows of some of them.
"""

import numpy as np

from .cells import as_objects
from .several import SeveralTokens


class Blocks:
    """The blocks that follow from what a `FeatureEncoder` has learned.

    Reads its attributes `is_categorical`, `with_bins`, `readers`, `shared`, `levels`,
    `described`, `slopes`, `crosses`, `tokens` and `scales`.
    """

    @property
    def multi_valued(self):
        """Position of each column of several tokens, and its delimiter."""
        columns = np.flatnonzero(self.is_categorical).tolist()
        pairs = zip(columns, self.readers, strict=True)
        return {j: r.delimiter for j, r in pairs if isinstance(r, SeveralTokens)}

    @property
    def parents(self):
        """Column within others -> column of parents -> usual parents, by positions."""
        columns, out = np.flatnonzero(self.is_categorical).tolist(), {}
        for level in self.levels:
            if level.column is not None:
                index = self.tokens[level.column]
                names = np.full(index.n_codes, None, dtype=object)
                names[index.codes[::-1]] = as_objects(index.categories[::-1])
                usual = level.usual[self.tokens[level.child].codes]
                own = out.setdefault(columns[level.child], {})
                own[columns[level.column]] = names[usual]
        return out

    @property
    def has_blends(self):
        """Whether there are vectors that are blended of several rows of the table."""
        several = any(isinstance(reader, SeveralTokens) for reader in self.readers)
        others = self.shared, self.levels, self.described, self.slopes, self.crosses
        return several or any(map(len, others))

    @property
    def fields(self):
        """Columns of tokens whose vectors the network reads: others are in these."""
        parents = {level.column for level in self.levels}
        return [k for k in range(len(self.readers)) if k not in parents]

    def field_of(self, k):
        """Which vector of a row a column of tokens is in."""
        while k not in self.fields:
            k = next(level.child for level in self.levels if level.column == k)
        return self.fields.index(k)

    def column_of(self, level):
        """Column of tokens that the parents of a level are read from."""
        if level.column is not None:
            return level.column
        before = level.below if level.same is None else level.same
        return level.child if before is None else self.column_of(self.levels[before])

    def parents_of(self, k):
        """Blocks of the table that vectors of a column are within, and how.

        Yields
        ------
        block : int
        usual : ndarray of int of shape (n_codes_k,)
            The usual code in the block of each code of the column.
        """
        for block, level in zip(self._level_blocks, self.levels, strict=True):
            if level.child == k:
                yield block, level.usual

    @property
    def _level_blocks(self):
        """Block of the parents of every level."""
        block, out = len(self.readers) + len(self.shared), []
        for level in self.levels:
            if level.column is not None:
                out.append(level.column)
            elif level.same is not None:
                out.append(out[level.same])
            else:
                out.append(block)
                block += 1
        return out

    @property
    def _mapped(self):
        """Levels of parents that are no column."""
        return [one for one in self.levels if one.mapping is not None]

    @property
    def _feature_blocks(self):
        """Block of the map of every column with features, and these."""
        start = len(self.readers) + len(self.shared) + len(self._mapped)
        return list(enumerate(self.described, start))

    @property
    def slope_blocks(self):
        """Block of the slopes of every number that has some, and these."""
        return list(enumerate(self.slopes, self.direct_blocks.start))

    @property
    def cross_blocks(self):
        """Block of every pair of columns that is crossed, and these."""
        return list(enumerate(self.crosses, self.late_blocks.start))

    @property
    def late_blocks(self):
        """Blocks that are learned with the layers, and not before them: of crosses.

        The memory of pairs would take all that layers could say of pairs never seen.
        """
        return range(self.n_token_blocks - len(self.crosses), self.n_token_blocks)

    @property
    def direct_blocks(self):
        """Blocks that are in no vector of a token, and only add to the output."""
        return range(self.late_blocks.start - len(self.slopes), self.n_token_blocks)

    def features_of(self, k):
        """Blocks of maps of a column's features, and factors by its categories.

        Yields
        ------
        block : int
        factors : ndarray of shape (n_tokens_k, n_features)
        """
        for block, known in self._feature_blocks:
            if known.column == k:
                yield block, known.of_tokens(self.tokens[k].categories)

    def _shared_blocks(self, k):
        n = len(self.readers)
        return [n + g for g, own in enumerate(self.shared) if k in own.columns]

    def blocks_of(self, k):
        """Blocks of the table that the vectors of a column of tokens are made of."""
        parents = [block for block, _ in self.parents_of(k)]
        maps = [block for block, _ in self.features_of(k)]
        return [k, *self._shared_blocks(k), *parents, *maps]

    def adds_up(self, k):
        """Whether a column's vectors are sums of their own rows and of others."""
        return any(self.parents_of(k)) or any(self.features_of(k))

    @property
    def n_token_blocks(self):
        """Number of blocks that are of tokens; those of bins follow."""
        others = self.shared, self._mapped, self.described, self.slopes, self.crosses
        return len(self.readers) + sum(map(len, others))

    def mask(self, dims, width, n_first):
        """1 for the coordinates that each block has, else 0; (n_blocks, width).

        Parameters
        ----------
        dims : list of int
            Length of the vectors of each column, those of bins last.
        width : int
            Length of the longest.
        n_first : int
            Leading coordinates that reach the output directly.
        """
        at = np.arange(width)
        whole = (at < np.asarray(dims, int).reshape(-1, 1)).astype(np.float32)
        blocks, n = list(whole), len(self.readers)
        rest = []
        for group in self.shared:
            for k in group.columns:
                blocks[k] = whole[k] * (at < n_first)
            rest.append(whole[group.columns[0]] * (at >= n_first))
        rest += [whole[one.child] for one in self._mapped]
        rest += [whole[one.column] for one in self.described]
        direct = [one.column for one in self.slopes]
        direct += [one.columns[0] for one in self.crosses]
        rest += [whole[k] * (at < n_first) for k in direct]
        blocks[n:n] = rest
        return np.array(blocks, np.float32).reshape(len(blocks), width)

    @property
    def n_fields(self):
        """Number of vectors of a row: of tokens, of bins of numbers, and of slopes."""
        return len(self.fields) + len(self._bin_sizes) + len(self.unread)

    @property
    def unread(self):
        """Fields that layers do not read: the last one, of slopes and crosses."""
        at = len(self.fields) + len(self._bin_sizes)
        return [at] if self.direct_blocks else []

    @property
    def sizes_of_columns(self):
        """Number of codes of every column of tokens, and of bins of numbers."""
        return [index.n_codes for index in self.tokens] + self._bin_sizes

    @property
    def column_sizes(self):
        """Number of codes of every block of the table of vectors."""
        sizes = [index.n_codes for index in self.tokens]
        sizes += [group.size(self.tokens) for group in self.shared]
        sizes += [one.index.n_codes for one in self._mapped]
        sizes += [known.size for known in self.described]
        sizes += [self.tokens[one.column].n_codes for one in self.slopes]
        sizes += [one.size for one in self.crosses]
        return sizes + self._bin_sizes

    @property
    def _bin_sizes(self):
        return [scale.n_bins for _, scale in self.binned]

    @property
    def number_places(self):
        """Columns in the numbers of every column of numbers: with its indicator."""
        ends = np.cumsum([0, *(1 + scale.has_missing for scale in self.scales)])
        pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        return [list(range(*pair)) for pair in pairs]

    @property
    def binned(self):
        """Position and scale of the numbers that come as codes of bins, too."""
        scales = enumerate(self.scales)
        return [pair for pair in scales if self.with_bins and pair[1].is_binned]

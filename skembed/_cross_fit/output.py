"""The output of EmbeddingEncoder, computed from a network's tables."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class EncoderOutput:
    """Which numbers of a token are returned, and on which axes.

    Attributes
    ----------
    lengths : list of int
        Number of coordinates that are used, column by column.
    axes : list of ndarray of shape (lengths[k], n_k), or None
        What the vectors are multiplied by: rotations, or readouts of effects.
    means : ndarray of bool of shape (n_columns, n_means)
        Whether the mean outcomes of a column's tokens, which come first, are returned;
        otherwise they are 0. Without mean outcomes, ``n_means`` is 0.
    """

    lengths: list
    axes: list | None
    means: np.ndarray

    @property
    def widths(self):
        """Number of values that are returned for a token, column by column."""
        lengths = self.lengths
        if self.axes is not None:
            lengths = [axes.shape[1] for axes in self.axes]
        return [self.means.shape[1] + length for length in lengths]

    def tables(self, fitted, sums, std=False):
        """Output for every code: one float32 array per column.

        Parameters
        ----------
        fitted : Fitted
        sums : TokenSums or None
            Of the rows behind `fitted`, if mean outcomes are returned.
        std : bool, default=False
            Whether to return the standard deviations instead.
        """
        table = fitted.weights.table
        values = 1.0 / table.precision if std else table.mean
        in_front = None if sums is None else sums.means()[int(std)]
        out = []
        for k, length in enumerate(self.lengths):
            table = fitted.of_codes(values, k, squared=std)[:, :length]
            if self.axes is not None:
                axes = np.square(self.axes[k]) if std else self.axes[k]
                table = table @ axes
            if in_front is not None:
                shown = np.where(self.means[k], in_front[k], 0.0)
                table = np.concatenate([shown, table], axis=1)
            out.append((np.sqrt(table) if std else table).astype(np.float32))
        return out

    def of_rows(self, fitted, encoded, k, std=False):
        """Vectors of a column that is within others, in every row with its parents.

        Without the mean outcomes; or their standard deviations.
        """
        values = fitted.weights.table.mean
        if std:
            values = 1.0 / fitted.weights.table.precision
        slots, length = encoded.blend.slots, self.lengths[k]
        factors = np.square(encoded.blend.factors) if std else encoded.blend.factors
        field, total = fitted.encoder.field_of(k), 0.0
        for block in fitted.encoder.blocks_of(k):
            at = (slots.block == block) & (slots.field == field)
            start = fitted.offsets[block]
            rows = values[start : start + fitted.encoder.column_sizes[block]]
            rows = (rows * fitted.mask[block])[:, :length]
            total = total + blended(rows, encoded.codes[:, at], factors[:, at])
        if self.axes is not None:
            total = total @ (np.square(self.axes[k]) if std else self.axes[k])
        return np.sqrt(total) if std else total

    def within(self, fitted, others):
        """`fitted`, with vectors that come out inside the range of those of `others`.

        Its coordinates lie among theirs before the rotation, but a rotation can turn a
        point of a box out of the range of others. Such a vector moves by as little as
        brings it back.
        """
        if self.axes is None:
            return fitted
        mean = fitted.weights.table.mean.copy()
        starts = np.append(fitted.offsets, len(mean))
        for k, (length, axes) in enumerate(zip(self.lengths, self.axes, strict=True)):
            if len(fitted.encoder.blocks_of(k)) > 1:
                continue  # It would move vectors of other columns, too.
            block = np.s_[starts[k] : starts[k + 1], :length]
            found = np.stack(
                [other.weights.table.mean[block] @ axes for other in others]
            )
            out = mean[block] @ axes
            inside = np.clip(out, found.min(axis=0), found.max(axis=0))
            mean[block] += (inside - out) @ np.linalg.pinv(axes)
            if axes.shape[0] < axes.shape[1]:
                # Fewer coordinates than numbers reach not every point, but their mean.
                own = [other.weights.table.mean[block] for other in others]
                moved = (inside != out).any(axis=1)
                mean[block][moved] = np.mean(own, axis=0)[moved]
        return fitted.with_table(replace(fitted.weights.table, mean=mean))


def blended(table, codes, factors):
    """Sums of rows of a table times factors, for every row of codes."""
    out = np.zeros((len(codes), table.shape[1]))
    for column, factor in zip(codes.T, factors.T, strict=True):
        out += table[column] * factor[:, None]
    return out

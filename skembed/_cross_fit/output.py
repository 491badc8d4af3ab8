"""What EmbeddingEncoder puts out of a network's tables."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class EncoderOutput:
    """Which numbers of a token come out, and on which axes.

    Attributes
    ----------
    lengths : list of int
        How many numbers of its vectors are taken, column by column.
    axes : list of ndarray of shape (lengths[k], lengths[k]), or None
        What turns them.
    means : ndarray of bool of shape (n_columns, n_means)
        Whether the mean outcomes of a column's tokens, which stand in front, are to be
        seen; else they are 0. Without any, ``n_means`` is 0.
    """

    lengths: list
    axes: list | None
    means: np.ndarray

    @property
    def widths(self):
        """How many numbers come out for a token, column by column."""
        return [self.means.shape[1] + length for length in self.lengths]

    def tables(self, fitted, sums, std=False):
        """What comes out for every code: one table a column, float32.

        Parameters
        ----------
        fitted : Fitted
        sums : TokenSums or None
            Of the rows behind `fitted`, where means come out.
        std : bool, default=False
            Whether to give the standard deviations of the numbers.
        """
        table = fitted.weights.table
        values = 1.0 / table.precision if std else table.mean
        starts = np.append(fitted.offsets, len(values))
        in_front = None if sums is None else sums.means()[int(std)]
        out = []
        for k, length in enumerate(self.lengths):
            table = values[starts[k] : starts[k + 1], :length]
            if self.axes is not None:
                axes = np.square(self.axes[k]) if std else self.axes[k]
                table = table @ axes
            if in_front is not None:
                shown = np.where(self.means[k], in_front[k], 0.0)
                table = np.concatenate([shown, table], axis=1)
            out.append((np.sqrt(table) if std else table).astype(np.float32))
        return out

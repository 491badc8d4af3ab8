"""Sums over the members of groups, as products with sparse matrices of few numbers.

Several times as fast as `unsorted_segment_sum` and `gather` of short rows, and one
thread adds in the order of the rows.
"""

import sys
from typing import NamedTuple

import tensorflow as tf

# The two halves of a whole number of 64 bits, in the order in which they lie in memory.
_FIRST, _SECOND = (1, 1 << 32) if sys.byteorder == "little" else (1 << 32, 1)


class Matrix(NamedTuple):
    """A sparse matrix."""

    at: tf.Tensor  # (n, 2) int32: row and column of each number
    values: tf.Tensor  # (n,)
    shape: tf.Tensor  # (2,) int64

    def times(self, dense):
        """Product with a dense matrix."""
        return self._times(dense, False)

    def transposed_times(self, dense):
        """Product of the transposed matrix with a dense one."""
        return self._times(dense, True)

    def _times(self, dense, transposed):
        return tf.raw_ops.SparseTensorDenseMatMul(
            a_indices=self.at,
            a_values=self.values,
            a_shape=self.shape,
            b=dense,
            adjoint_a=transposed,
        )


def seconds(whole):
    """Whole numbers as the second ones of `pairs`."""
    return tf.cast(whole, tf.int64) * _SECOND


def pairs(first, seconds):
    """Pairs of whole numbers, (n, 2) int32; `seconds` as the function gives them.

    Two numbers side by side are one of twice the bits: one addition, where putting
    them next to each other one by one takes ten times as long.
    """
    return tf.bitcast(tf.cast(first, tf.int64) * _FIRST + seconds, tf.int32)


def shape(n_rows, n_columns):
    """Shape of a matrix."""
    return tf.cast(tf.stack([n_rows, n_columns]), tf.int64)


def of_groups(group, n):
    """Matrix that adds up the rows of each group.

    Parameters
    ----------
    group : tensor of int32 of shape (n_values,)
    n : tensor
        Number of groups.
    """
    n_values = tf.size(group)
    at = pairs(group, seconds(tf.range(n_values)))
    return Matrix(at, tf.ones([n_values]), shape(n, n_values))

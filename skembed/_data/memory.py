"""Few copies: memory that TensorFlow can read in place, and rows some at a time."""

import numpy as np

from .. import _settings as settings

ALIGNMENT = 64  # bytes; NumPy itself begins at a multiple of 16


def aligned(n_rows, n_columns, dtype):
    """An array of shape (n_rows, n_columns) that begins where TensorFlow wants it."""
    n_bytes = n_rows * n_columns * np.dtype(dtype).itemsize
    room = np.empty(n_bytes + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + n_bytes].view(dtype).reshape(n_rows, n_columns)


def pieces(n_rows):
    """Slices of so many rows, `TABLE_ROWS` of them each."""
    for start in range(0, n_rows, settings.TABLE_ROWS):
        yield slice(start, min(start + settings.TABLE_ROWS, n_rows))


def is_aligned(array):
    """Whether an array begins where TensorFlow wants it, with no gaps in it."""
    return array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0

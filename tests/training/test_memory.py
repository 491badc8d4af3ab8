"""What rows cost in memory: as few copies as there can be."""

import tracemalloc

import numpy as np
import pytest

from skembed._data.memory import aligned, is_aligned
from skembed._data.rows import Rows, merge
from skembed._keras.engine import _tensor_of
from skembed._training.problem import table_counts


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (7, 3), (1000, 6)])
def test_aligned_room_has_the_shape_and_the_place(shape):
    room = aligned(*shape, np.int32)
    assert room.shape == shape and room.dtype == np.int32
    assert room.size == 0 or room.ctypes.data % 64 == 0
    room[:] = np.arange(room.size).reshape(shape)
    np.testing.assert_array_equal(room.ravel(), np.arange(room.size))


def test_tensorflow_reads_merged_rows_where_they_are():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 50, (300, 2), dtype=np.int32)
    rows = merge(codes, np.zeros((300, 0)), rng.normal(size=(300, 1)), np.ones(300), 1)
    assert is_aligned(rows.codes)
    tensor, before = _tensor_of(rows.codes), rows.codes[5, 1]
    np.testing.assert_array_equal(tensor.numpy(), rows.codes)
    rows.codes[5, 1] = before + 1
    assert int(tensor[5, 1]) == before + 1


def test_what_is_not_aligned_is_copied():
    room = aligned(9, 2, np.float32)
    room[:] = 1.0
    for part in (room.ravel()[1:9].reshape(4, 2), room[:, :1]):
        tensor = _tensor_of(part)
        np.testing.assert_array_equal(tensor.numpy(), part)
        part[0] = 2.0
        assert float(tensor[0, 0]) == 1.0
        part[0] = 1.0


def peak(function):
    """Bytes that a function holds at most beside what was there, and its value."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = function()
        return tracemalloc.get_traced_memory()[1] - before, found
    finally:
        tracemalloc.stop()


def test_counting_rows_of_the_table_takes_no_room_for_all_rows():
    n = 1_000_000
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 90, (n, 6), dtype=np.int32)
    rows = Rows(codes, np.zeros((n, 0)), np.zeros((n, 1)), rng.random(n), n)
    taken, counts = peak(lambda: table_counts(rows, 100))
    assert taken < 1.5 * codes.nbytes
    expected = np.bincount(codes.ravel(), np.repeat(rows.weights, 6), 100)
    np.testing.assert_array_equal(counts, expected)  # to the last bit


def test_merging_a_few_copies_takes_room_for_one_copy_of_all_rows():
    n = 200_000
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 1_000_000, (n, 6), dtype=np.int32)
    codes[:1000] = codes[1000:2000]
    rows = codes, np.zeros((n, 0)), rng.normal(size=(n, 2)), np.ones(n)
    taken, merged = peak(lambda: merge(*rows, average_targets=True))
    assert merged.n_rows == n - 1000
    assert taken < 1.75 * sum(part.nbytes for part in rows)

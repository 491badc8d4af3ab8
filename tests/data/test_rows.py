"""Merging of equal rows."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._data import rows as merging
from skembed._data.rows import merge


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    n = 200
    codes = rng.integers(0, 4, (n, 2)).astype(np.int32)
    numbers = rng.integers(0, 2, (n, 1)) * 0.1
    targets = rng.normal(size=(n, 1))
    weights = rng.uniform(0.5, 2.0, n)
    return codes, numbers, targets, weights


def by_row(rows):
    """(codes, numbers) -> (weight, weighted mean target), computed plainly."""
    out = {}
    for code, number, target, weight in zip(*rows[:4], strict=True):
        w, total = out.get((*code, *number), (0.0, 0.0))
        out[(*code, *number)] = (w + weight, total + weight * target[0])
    return {key: (w, total / w) for key, (w, total) in out.items()}


def check(merged, rows):
    expected = by_row(rows)
    assert len(merged.weights) == len(expected)
    for key, value in by_row(merged).items():
        np.testing.assert_allclose(value, expected[key], rtol=1e-12, atol=1e-12)


def test_weights_add_up_and_targets_are_averaged(rows):
    merged = merge(*rows, average_targets=True)
    check(merged, rows)
    assert merged.total == pytest.approx(rows[3].sum())


def test_collisions_of_the_hash_merge_nothing_that_differs(rows, monkeypatch):
    monkeypatch.setattr(
        merging,
        "row_hash",
        lambda blocks, start=None: np.zeros(len(blocks[0]), np.uint64),
    )
    check(merge(*rows, average_targets=True), rows)


def test_the_order_of_the_rows_does_not_show(rows):
    order = np.random.default_rng(1).permutation(len(rows[0]))
    a = merge(*rows, average_targets=True)
    b = merge(*(part[order] for part in rows), average_targets=True)
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("average", [True, False])
def test_a_weight_of_k_is_k_copies(rows, average):
    codes, numbers, targets, _ = rows
    times = np.random.default_rng(2).integers(1, 5, len(codes))
    a = merge(codes, numbers, targets, times.astype(float), average_targets=average)
    repeated = (np.repeat(part, times, axis=0) for part in (codes, numbers, targets))
    b = merge(*repeated, np.ones(times.sum()), average_targets=average)
    assert (a.n_given, b.n_given) == (200, times.sum())
    assert a.n_counted == b.n_counted
    for one, other in zip(a[:4], b[:4], strict=True):
        np.testing.assert_array_equal(one, other)


def test_different_targets_stay_apart_unless_averaged():
    codes = np.zeros((4, 1), np.int32)
    targets = np.array([[1.0], [2.0], [1.0], [3.0]])
    merged = merge(codes, np.zeros((4, 0)), targets, np.ones(4), average_targets=False)
    assert sorted(merged.targets[:, 0]) == [1.0, 2.0, 3.0]
    assert merged.weights[merged.targets[:, 0] == 1.0] == 2.0


def test_minus_zero_and_zero_are_the_same_number():
    numbers = np.array([[0.0], [-0.0]])
    codes = np.zeros((2, 1), np.int32)
    merged = merge(codes, numbers, np.ones((2, 1)), np.ones(2), average_targets=True)
    assert len(merged.weights) == 1


def test_rows_without_any_column_are_one_row():
    empty = np.zeros((3, 0))
    merged = merge(
        empty.astype(np.int32), empty, np.arange(3.0)[:, None], np.ones(3), True
    )
    assert merged.weights.tolist() == [3.0]
    assert merged.targets.tolist() == [[1.0]]


def test_sample_is_blind_to_order_and_copies():
    rng = np.random.default_rng(0)
    n = 30_000
    codes, y = rng.integers(0, 9, (n, 1)), rng.normal(size=(n, 1))
    copies = rng.integers(1, 4, n)
    order = rng.permutation(copies.sum())
    rows, total = merging.sample([codes, y], copies, 10_000)
    assert 9_500 < len(rows) < 10_500
    many = [block.repeat(copies, 0)[order] for block in (codes, y)]
    other, others_total = merging.sample(many, np.ones(len(order)), 10_000)
    assert_array_equal(y[rows], many[1][other])
    assert_array_equal(total, others_total)
    # Few different rows are all there, however often they come.
    rows, total = merging.sample([codes], np.ones(n), 10)
    assert sorted(codes[rows, 0]) == list(range(9))
    assert total.sum() == n

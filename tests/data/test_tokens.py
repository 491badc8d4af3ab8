"""Tokens of one column and their codes."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import OneHotEncoder

from skembed._data.columns import Column
from skembed._data.tokens import TokenIndex


def column(values, dtype=object):
    values = list(values)
    array = np.empty(len(values), dtype=dtype)
    array[:] = values
    return Column("c", array, is_float=False)


def fit(values, weights=None, dtype=object, **params):
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, float)
    return TokenIndex.fit(column(values, dtype), weights, **params)


def test_categories_are_sorted_and_codes_point_into_them():
    index, codes = fit(["b", "a", "c", "b"])
    assert index.categories.tolist() == ["a", "b", "c"]
    assert codes.tolist() == [1, 0, 2, 1]
    assert index.codes.tolist() == [0, 1, 2]
    assert index.n_codes == 4
    assert index.unknown == 3


def test_counts_are_sums_of_weights():
    index, _ = fit(["b", "a", "b"], [0.5, 2.0, 3.0])
    assert index.counts.tolist() == [2.0, 3.5]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, float("nan")])
def test_all_kinds_of_missing_values_are_one_token_at_the_end(missing):
    index, codes = fit(["b", missing, "a", None])
    assert index.categories.tolist() == ["a", "b", None]
    assert index.has_missing
    assert codes.tolist() == [1, 2, 0, 2]


def test_the_empty_string_is_a_token_and_not_missing():
    index, codes = fit(["", "x", None])
    assert index.categories.tolist() == ["", "x", None]
    assert codes.tolist() == [0, 1, 2]


def test_equal_values_are_one_token_and_text_is_another():
    index, codes = fit([1, 1.0, True, "1", np.int64(1), np.float32(1)])
    assert codes[[0, 1, 2, 4, 5]].tolist() == [codes[0]] * 5
    assert codes[3] != codes[0]
    assert index.n_codes == 3


def test_minus_zero_is_zero():
    _, codes = fit([0.0, -0.0, 1.0], dtype=np.float64)
    assert codes.tolist() == [0, 0, 1]


def test_tokens_that_do_not_compare_sort_by_type_and_text():
    index, _ = fit([(2, 1), "b", 3, "a", 1])
    assert index.categories.tolist() == [1, 3, "a", "b", (2, 1)]


def test_unhashable_tokens_are_known_by_what_they_print():
    index, codes = fit([[1, 2], [3], [1, 2]])
    assert codes.tolist() == [0, 1, 0]
    assert index.transform(column([[3], [9]])).tolist() == [1, index.unknown]


@pytest.mark.parametrize(
    "params",
    [
        {"min_frequency": 2},
        {"min_frequency": 4},
        {"min_frequency": 0.1},
        {"min_frequency": 100},
        {"max_categories": 1},
        {"max_categories": 3},
        {"max_categories": 5},
        {"max_categories": 50},
        {"min_frequency": 3, "max_categories": 3},
    ],
)
def test_rare_tokens_are_those_of_one_hot_encoder(params):
    rng = np.random.default_rng(1)
    values = rng.choice(list("abcdefgh"), 60, p=np.arange(1, 9) / 36)
    values[:3] = "a", "b", "c"
    index, codes = fit(values, **params)
    expected = OneHotEncoder(**params).fit(values[:, None]).infrequent_categories_[0]
    if expected is None:
        assert index.infrequent is None
        assert index.n_codes == len(index.categories) + 1
    else:
        assert index.infrequent.tolist() == expected.tolist()
        rare = np.isin(values, expected)
        assert set(codes[rare]) == {index.unknown - 1}
        assert index.unknown - 1 not in codes[~rare]


def test_as_many_tokens_as_allowed_are_left_alone():
    index, _ = fit(["a", "b", "c"], max_categories=3)
    assert index.infrequent is None


def test_rarity_is_a_matter_of_weight():
    index, _ = fit(["a", "b", "c"], [5.0, 1.0, 1.0], min_frequency=2)
    assert index.infrequent.tolist() == ["b", "c"]


def test_a_missing_value_can_be_rare():
    index, codes = fit(["a", "a", "b", None], min_frequency=2)
    assert index.infrequent.tolist() == ["b", None]
    assert codes[2] == codes[3]


def test_unknown_tokens_get_a_code_of_their_own():
    index, _ = fit(["a", "b"])
    assert index.transform(column(["b", "z", "a", None])).tolist() == [1, 2, 0, 2]
    assert index.unknown_tokens(column(["b", "z", None])) == ["z", None]


def test_unknown_tokens_join_the_rare_ones_if_asked_and_missing_ones_do_not():
    index, _ = fit(["a", "a", "b"], min_frequency=2)
    asked = column(["a", "b", "z", None])
    assert index.transform(asked, pool_unknown=True).tolist() == [0, 1, 1, 2]
    assert index.transform(asked, pool_unknown=False).tolist() == [0, 1, 2, 2]


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint64, np.float64])
def test_numbers_are_found_whatever_their_dtype(dtype):
    index, _ = fit([3, 1, 7], dtype=np.int64)
    assert index.categories.dtype == np.int64
    asked = column([7, 2, 1], dtype=dtype)
    assert index.transform(asked).tolist() == [2, index.unknown, 0]


def test_half_numbers_are_not_rounded_to_a_token():
    index, _ = fit([1, 2], dtype=np.int64)
    asked = column([1.5, np.nan, 2.0], dtype=np.float64)
    assert index.transform(asked).tolist() == [2, 2, 1]


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (np.int8, [-100, 100, 45]),
        (np.int16, [-32_768, 32_767, 5]),
        (np.uint8, [255, 0, 7]),
        (np.int64, [-(2**63), 2**63 - 1, 0]),
        (np.uint64, [2**64 - 1, 2**64 - 3, 2**63]),
        (np.uint64, [2**64 - 1, 2**64 - 3]),
        (np.int64, [-5, -3, -5]),
    ],
)
def test_integers_at_the_ends_of_their_range(dtype, values):
    index, codes = fit(values, dtype=dtype)
    assert index.categories.tolist() == sorted(set(values))
    assert [index.categories[c] for c in codes] == values


def test_growing_keeps_codes_and_adds_new_tokens():
    index, old = fit(["b", "d", "b"])
    grown, codes = index.grown(column(["a", "d", "c", "a"]), np.ones(4))
    assert grown.categories.tolist() == ["a", "b", "c", "d"]
    assert grown.counts.tolist() == [2.0, 2.0, 1.0, 2.0]
    code_of = dict(zip(grown.categories, grown.codes, strict=True))
    assert (code_of["b"], code_of["d"]) == (0, 1)
    assert [code_of[t] for t in "adca"] == codes.tolist()
    assert grown.n_codes == 5
    assert sorted(grown.codes) == [0, 1, 2, 3]
    assert index.categories.tolist() == ["b", "d"]
    assert index.counts.tolist() == [2.0, 1.0]
    assert grown.transform(column(["d", "q"])).tolist() == [1, 4]


@pytest.mark.parametrize("first", [["b", None], ["b"]])
def test_growing_keeps_the_missing_value_last(first):
    index, _ = fit(first)
    grown, codes = index.grown(column(["c", None, "a"]), np.ones(3))
    assert grown.categories.tolist() == ["a", "b", "c", None]
    assert [grown.categories[list(grown.codes).index(c)] for c in codes] == [
        "c",
        None,
        "a",
    ]
    assert grown.counts[-1] == 1 + (None in first)


def test_growing_an_index_with_rare_tokens():
    index, _ = fit(["a", "a", "b", "c"], min_frequency=2)
    grown, codes = index.grown(column(["b", "d"]), np.ones(2))
    code_of = dict(zip(grown.categories, grown.codes, strict=True))
    assert code_of["b"] == code_of["c"] == 1
    assert code_of["d"] == 2
    assert codes.tolist() == [1, 2]


def test_an_index_survives_pickling():
    index, _ = fit(["x", None, "y"])
    index.transform(column(["x"]))
    again = pickle.loads(pickle.dumps(index))
    assert again.transform(column(["y", "x", None, "q"])).tolist() == [1, 0, 2, 3]


def test_times_are_known_in_coarser_and_finer_units():
    index, _ = fit(["2020-01-01T06:00", "2020-01-02"], dtype="M8[us]")
    days = column(["2020-01-02", "2020-01-01"], dtype="M8[D]")
    assert index.transform(days).tolist() == [1, index.unknown]
    fine = column(["2020-01-02T00:00:00.000000001"], dtype="M8[ns]")
    assert index.transform(fine).tolist() == [index.unknown]
    far = column(["9999-01-01"], dtype="M8[D]")
    exact, _ = fit(["2020-01-01T00:00:00.000000001"], dtype="M8[ns]")
    assert exact.transform(far).tolist() == [exact.unknown]


def test_nothing_is_known_of_a_column_that_was_missing():
    index, _ = fit([np.nan, np.nan], dtype=np.float64)
    assert index.transform(column([1.0, np.nan], dtype=np.float64)).tolist() == [1, 0]


def test_growing_by_times_out_of_range_is_refused_with_the_name():
    index, _ = fit(["2020-01-01T00:00:00.000000001"], dtype="M8[ns]")
    with pytest.raises(ValueError, match="Column 'c' of X holds times too far apart"):
        index.grown(column(["9999-01-01"], dtype="M8[D]"), np.ones(1))

"""Reading the columns of every kind of table."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skembed._data.columns import as_table, as_tokens, is_frame, read


def only(table):
    (column,) = read(as_table(table))
    return column


def values_of(column):
    """The column spelt out from its codes, None for missing."""
    codes, uniques = column.factorize()
    values = [*uniques.tolist(), None]
    return [values[code] for code in codes]


TEXT = ["b", "a", None, "b", "ä \n"]
WHOLE = [3, 1, 3, -2]
WHOLE_MISSING = [3, None, 1, 3]
DAYS = [datetime.date(2020, 2, 29), datetime.date(1969, 1, 1)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (pd.DataFrame({"x": TEXT}), TEXT),
        (pd.DataFrame({"x": TEXT}, dtype=object), TEXT),
        (pd.DataFrame({"x": pd.Series(TEXT, dtype="string[python]")}), TEXT),
        (pd.DataFrame({"x": pd.Series(TEXT, dtype="string[pyarrow]")}), TEXT),
        (
            pd.DataFrame({"x": pd.Series(TEXT, dtype=pd.ArrowDtype(pa.string()))}),
            TEXT,
        ),
        (pd.DataFrame({"x": pd.Categorical(TEXT, [*"zyba", "ä \n"])}), TEXT),
        (pl.DataFrame({"x": TEXT}), TEXT),
        (pl.DataFrame({"x": pl.Series(TEXT, dtype=pl.Categorical)}), TEXT),
        (
            pl.DataFrame({"x": pl.Series(TEXT, dtype=pl.Enum(["ä \n", "b", "a"]))}),
            TEXT,
        ),
        (pa.table({"x": TEXT}), TEXT),
        (pa.table({"x": pa.array(TEXT, pa.large_string())}), TEXT),
        (pa.table({"x": pa.array(TEXT).dictionary_encode()}), TEXT),
        (
            pa.table({"x": pa.chunked_array([TEXT[:2], TEXT[2:]], pa.string())}),
            TEXT,
        ),
        (np.array(TEXT, dtype=object)[:, None], TEXT),
        ([[t] for t in TEXT], TEXT),
        (np.array([["b"], ["a"]]), ["b", "a"]),
        (np.array([[b"b"], [b"a"]]), [b"b", b"a"]),
        (np.array([["b"], ["a"]], np.dtypes.StringDType()), ["b", "a"]),
        (pd.DataFrame({"x": WHOLE}), WHOLE),
        (pd.DataFrame({"x": pd.Series(WHOLE, dtype="Int64")}), WHOLE),
        (pd.DataFrame({"x": pd.Series(WHOLE_MISSING, dtype="Int64")}), WHOLE_MISSING),
        (
            pd.DataFrame({"x": pd.Series(WHOLE, dtype=pd.ArrowDtype(pa.int16()))}),
            WHOLE,
        ),
        (pd.DataFrame({"x": pd.arrays.SparseArray(WHOLE)}), WHOLE),
        (pl.DataFrame({"x": WHOLE}), WHOLE),
        (pl.DataFrame({"x": WHOLE_MISSING}), WHOLE_MISSING),
        (pa.table({"x": WHOLE_MISSING}), WHOLE_MISSING),
        (pa.table({"x": WHOLE}), WHOLE),
        (np.array(WHOLE, dtype=np.int16)[:, None], WHOLE),
        ([[w] for w in WHOLE], WHOLE),
        (pd.DataFrame({"x": [True, False]}), [True, False]),
        (
            pd.DataFrame({"x": pd.Series([True, None], dtype="boolean")}),
            [True, None],
        ),
        (pl.DataFrame({"x": [True, None, False]}), [True, None, False]),
        (pa.table({"x": [True, None, False]}), [True, None, False]),
        (np.array([[True], [False]]), [True, False]),
        (pl.DataFrame({"x": DAYS}), DAYS),
        (pa.table({"x": DAYS}), DAYS),
        (pd.DataFrame({"x": DAYS}), DAYS),
        (
            pl.DataFrame({"x": [datetime.time(1, 2), None]}),
            [datetime.time(1, 2), None],
        ),
        (
            pa.table({"x": [datetime.timedelta(days=2), None]}),
            [datetime.timedelta(days=2), None],
        ),
        (
            pa.table({"x": pa.array([decimal.Decimal("1.5"), None])}),
            [decimal.Decimal("1.5"), None],
        ),
    ],
)
def test_tokens_of_every_kind_of_column(table, expected):
    column = only(table)
    assert not column.is_float
    assert values_of(column) == expected


TIMES = np.array(["2020-02-29T12:00", "NaT", "1969-01-01T06:00"], "datetime64[us]")
IN_BERLIN = pd.Series(TIMES).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")


@pytest.mark.parametrize(
    "table",
    [
        TIMES[:, None],
        pd.DataFrame({"x": TIMES}),
        pd.DataFrame({"x": TIMES.astype("datetime64[ns]")}),
        pd.DataFrame({"x": IN_BERLIN}),
        pl.DataFrame({"x": TIMES}),
        pa.table({"x": TIMES}),
    ],
    ids=["numpy", "pandas", "pandas ns", "pandas zone", "polars", "arrow"],
)
def test_times_are_tokens_or_a_number_of_days(table):
    column = only(table)
    assert not column.is_float
    codes, uniques = column.factorize()
    assert uniques[codes[0]] == TIMES[0]
    assert uniques[codes[2]] == TIMES[2]
    assert codes[1] == -1
    days = [18_321.5, np.nan, -364.75]
    np.testing.assert_allclose(column.floats(), days, rtol=1e-12)


@pytest.mark.parametrize(
    "table",
    [
        np.array([[0.5], [np.nan]]),
        np.array([[0.5], [np.nan]], dtype=np.float16),
        np.array([[0.5], [None]], dtype=object),
        [[0.5], [None]],
        pd.DataFrame({"x": [0.5, None]}),
        pd.DataFrame({"x": [0.5, None]}, dtype=object),
        pd.DataFrame({"x": pd.Series([0.5, None], dtype="Float32")}),
        pd.DataFrame({"x": pd.Series([0.5, None], dtype=pd.ArrowDtype(pa.float32()))}),
        pd.DataFrame({"x": pd.arrays.SparseArray([0.5, np.nan])}),
        pl.DataFrame({"x": [0.5, None]}),
        pa.table({"x": [0.5, None]}),
        pa.table({"x": pa.array([0.5, None], pa.float32())}),
    ],
)
def test_floating_point_columns(table):
    column = only(table)
    assert column.is_float
    np.testing.assert_array_equal(column.floats(), [0.5, np.nan])


@pytest.mark.parametrize(
    "table",
    [
        np.array([[2], [1]]),
        np.array([["2"], ["1"]], dtype=object),
        pd.DataFrame({"x": pd.Categorical([2, 1])}),
        pd.DataFrame({"x": pd.Series([2, 1], dtype="Int8")}),
        pl.DataFrame({"x": [2, 1]}),
        pa.table({"x": pa.array([2, 1]).dictionary_encode()}),
        pa.table({"x": [decimal.Decimal("2"), decimal.Decimal("1")]}),
    ],
)
def test_other_columns_can_be_read_as_numbers(table):
    assert only(table).floats().tolist() == [2.0, 1.0]


def test_text_in_a_numeric_column_is_refused_by_name_and_row():
    column = only(pd.DataFrame({"price": [1, "cheap"]}))
    with pytest.raises(ValueError, match=r"'cheap' in row 1 .*'price'"):
        column.floats()


@pytest.mark.parametrize(
    "table", [np.array([[np.inf], [1.0]]), pl.DataFrame({"x": [-np.inf]})]
)
def test_infinity_is_refused(table):
    with pytest.raises(ValueError, match="infinity"):
        only(table).floats()


def test_objects_of_polars():
    table = pl.DataFrame({"x": pl.Series([(1, 2), "a", None], dtype=pl.Object)})
    assert values_of(only(table)) == [(1, 2), "a", None]


def test_nested_values_are_refused_by_name():
    with pytest.raises(TypeError, match="'x' of X holds nested values"):
        only(pa.table({"x": [[1, 2], [3]]})).factorize()
    with pytest.raises(TypeError, match="'x' of X holds nested values"):
        read(pa.table({"x": [{"a": 1}]}))


def test_names_are_those_of_the_columns():
    tables = [
        pd.DataFrame({"a": [1], "b": ["x"]}),
        pl.DataFrame({"a": [1], "b": ["x"]}),
        pa.table({"a": [1], "b": ["x"]}),
    ]
    for table in tables:
        assert is_frame(table)
        assert [c.name for c in read(table)] == ["a", "b"]
    assert not is_frame(np.zeros((1, 2)))
    assert [c.name for c in read(np.zeros((1, 2)))] == [0, 1]


def test_a_list_of_rows_keeps_numbers_beside_text():
    text, whole, real = read(as_table([["a", 1, 0.5], ["b", 2, 1.5]]))
    assert values_of(text) == ["a", "b"]
    assert values_of(whole) == [1, 2]
    assert not whole.is_float
    assert real.is_float


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (sparse.eye(3).tocsr(), TypeError, "[Ss]parse"),
        (np.ones((2, 2), complex), ValueError, "Complex data not supported"),
        (np.ones((2, 2, 2)), ValueError, "dim 3|3D|dimension"),
        (np.ones(3), ValueError, "1D array"),
        (["a", "b"], ValueError, "1D array"),
        ([["a", "b"], ["c"]], ValueError, "different lengths"),
        (5, (TypeError, ValueError), "scalar|0D"),
    ],
)
def test_what_is_no_table_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        as_table(X)


def test_long_columns_of_text_read_the_same_as_short_ones():
    rng = np.random.default_rng(0)
    values = rng.choice(np.array(["a", "b", "", None], dtype=object), 30_000)
    column = only(values[:, None])
    assert values_of(column) == values.tolist()
    values[7] = 3  # not all text: another way through
    assert values_of(only(values[:, None])) == values.tolist()


def test_columns_are_found_by_name_and_checked(quick):
    X = pd.DataFrame({"t": ["a", "b", "a"], "größe (m)": [1.0, 2.0, 3.0]})
    model = quick().fit(X, [1.0, 2.0, 3.0])
    assert model.feature_names_in_.tolist() == ["t", "größe (m)"]
    assert model.is_categorical_.tolist() == [True, False]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[["t"]])
    with pytest.raises(ValueError, match="order"):
        model.predict(X.iloc[:, ::-1])
    assert model.model_.output_shape == (None, 1)


@pytest.mark.parametrize(
    ("wanted", "mask"),
    [
        ("auto", [True, True, False, False]),
        ("all", [True] * 4),
        (None, [False, True, False, False]),
        ([0], [True, False, False, False]),
        ([0, -1], [True, False, False, True]),
        ([True, False, True, False], [True, False, True, False]),
    ],
)
def test_which_columns_are_tokens(wanted, mask, mixed, quick):
    X, y = mixed
    if wanted is None:
        X = X[:, 1:]
        model = quick(categorical_features=None).fit(X, y)
        assert not model.is_categorical_.any()
        assert model.embeddings_ == []
        return
    model = quick(categorical_features=wanted).fit(X, y)
    assert model.is_categorical_.tolist() == mask
    assert len(model.embeddings_) == len(model.categories_) == sum(mask)


def test_columns_by_name(quick):
    X = pd.DataFrame({"a b": [1, 2, 1], "x(1)": [1.0, 2.0, 3.0]})
    model = quick(categorical_features=["x(1)"]).fit(X, [1.0, 2.0, 3.0])
    assert model.is_categorical_.tolist() == [False, True]
    with pytest.raises(ValueError, match="'nope', which X does not have"):
        quick(categorical_features=["nope"]).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="no column names"):
        quick(categorical_features=["a"]).fit(X.to_numpy(), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="index 2, but X has 2 columns"):
        quick(categorical_features=[2]).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="boolean mask"):
        quick(categorical_features=[True]).fit(X, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), TypeError, "struct"),
        (pd.Series([1, 2]), ValueError, "pandas Series instead: a single column"),
        (pa.array([1, 2]), ValueError, "pyarrow Int64Array instead: a single column"),
        (pl.LazyFrame({"a": [1]}), TypeError, "LazyFrame, which has no rows yet"),
        (pa.record_batch({"a": [1]}), TypeError, "pyarrow RecordBatch; data frames of"),
        ([["a"], 5], ValueError, "its row 1 is 5, while others hold several cells"),
    ],
)
def test_what_is_nearly_a_table_is_refused_with_the_way_out(X, error, message):
    with pytest.raises(error, match=message):
        as_table(X)


def cells_of(*values):
    """A column of Python objects, as they are."""
    out = np.empty((len(values), 1), dtype=object)
    out[:, 0] = values
    return out


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"x": [1j, 2]}), "Column 'x' of X is complex"),
        (pl.DataFrame({"x": [{"a": 1}, {"a": 2}]}), r"'x' of X holds nested values"),
        (
            pl.DataFrame({"x": pl.Series([1, 2]).cast(pl.Time)}),
            "'x' of X holds times of day finer than microseconds",
        ),
        (np.array([[3], [5]], "m8[M]"), "durations in months, years or no unit"),
        (np.array([[3], [5]], "m8[ps]"), "times finer than nanoseconds"),
        (
            cells_of(
                np.datetime64("0001-01-01T00:00:00.000001"), np.datetime64(1, "ns")
            ),
            "times too far apart for 64 bits",
        ),
    ],
)
def test_cells_that_are_no_tokens_are_refused_with_the_name(table, message):
    with pytest.raises((TypeError, ValueError), match=message):
        only(table).factorize()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            np.array([[3000], [5000]], "m8[ps]"),
            [np.timedelta64(n, "ns") for n in (3, 5)],
        ),
        (
            np.array([["2020"], ["1969"]], "M8[Y]"),
            [datetime.date(2020, 1, 1), datetime.date(1969, 1, 1)],
        ),
        (
            np.array([["0001"], ["9999"]], "M8[s]"),
            [datetime.date(1, 1, 1), datetime.date(9999, 1, 1)],
        ),
        (cells_of(2**63, 2**64 - 1), [2**63, 2**64 - 1]),
        (cells_of(2**70, 1, -(2**70)), [2**70, 1, -(2**70)]),
        (cells_of([1, 2], np.array([1, 2]), "x"), [[1, 2], [1, 2], "x"]),
        ([np.array([1, 2]), np.array([3, 4])], [1, 3]),
        ([np.array(["2020-01-01"], "M8[D]")], [datetime.date(2020, 1, 1)]),
        ([np.ma.array([1, 2], mask=[1, 0]), [3, 4]], [None, 3]),
        (pl.DataFrame({"x": pl.Series([None, None], dtype=pl.Int64)}), [None, None]),
        (
            pa.table(
                {
                    "x": pa.DictionaryArray.from_arrays(
                        pa.array([1, 0, None], pa.uint8()), pa.array(["a", "b"])
                    )
                }
            ),
            ["b", "a", None],
        ),
    ],
)
def test_odd_cells_are_tokens_all_the_same(table, expected):
    codes, uniques = read(as_table(table))[0].factorize()
    # Python has no nanoseconds.
    kind = uniques.dtype if uniques.dtype == "m8[ns]" else object
    values = [*uniques.astype(kind), None]
    assert [values[code] for code in codes] == expected


def test_equal_cells_of_different_types_are_one_token():
    day = datetime.date(2020, 1, 1)
    codes, uniques = only(cells_of(day, np.datetime64(day), "x", day)).factorize()
    assert codes.tolist() == [0, 0, 1, 0]
    assert uniques.tolist() == [day, "x"]


def test_text_that_arrow_cannot_hold_is_read_all_the_same():
    cells = np.array(["\ud800", "a"] * 10_000, dtype=object)
    assert values_of(only(cells[:, None])) == cells.tolist()


def test_categories_of_polars_may_be_numbered_far_behind_those_of_other_columns():
    pool = pl.Series([f"other {i}" for i in range(5_000)], dtype=pl.Categorical)
    series = pl.Series(["last", None, "first", "last"], dtype=pl.Categorical)
    assert len(pool) == 5_000
    table = pl.DataFrame({"x": series})
    assert values_of(only(table)) == ["last", None, "first", "last"]


def test_a_number_in_a_categorical_column_of_text_is_named_by_its_row():
    column = only(pd.DataFrame({"price": pd.Categorical([3, "cheap", 4])}))
    with pytest.raises(ValueError, match="'cheap' in row 1 .*'price'"):
        column.floats()
    # A category that no row holds is no obstacle.
    unused = pd.Categorical([3, 4, None], ["cheap", 3, 4])
    found = only(pd.DataFrame({"price": unused})).floats()
    np.testing.assert_array_equal(found, [3.0, 4.0, np.nan])


def test_an_integer_too_large_for_a_float_is_refused_and_not_printed():
    with pytest.raises(ValueError, match="<int that cannot be printed> in row 1"):
        only(cells_of(1.5, 10**5000)).floats()


def test_times_of_any_type_and_precision_are_a_number_of_days():
    days = cells_of(datetime.date(2020, 1, 1), None, datetime.datetime(2020, 1, 2, 12))
    np.testing.assert_array_equal(only(days).floats(), [18_262.0, np.nan, 18_263.5])
    fine = np.array([["2020-01-01T12:00:00.000000001"]], "M8[ns]")
    np.testing.assert_allclose(only(fine).floats(), [18_262.5])


@pytest.mark.parametrize(
    "tokens",
    [
        ["a", None],
        pd.Series(["a", None]),
        pd.Index(["a", None]),
        pl.Series(["a", None]),
        pa.array(["a", None]),
        pa.chunked_array([["a"], [None]]),
        np.ma.array(["a", "b"], mask=[False, True]),
    ],
    ids=lambda tokens: type(tokens).__name__,
)
def test_collections_of_tokens_of_every_kind(tokens):
    assert as_tokens(tokens).tolist() == ["a", None]


def test_whole_numbers_with_gaps_stay_whole_in_a_collection():
    for tokens in (pd.Series([2, None], dtype="Int64"), pl.Series([2, None])):
        assert list(map(type, as_tokens(tokens))) == [int, type(None)]


@pytest.mark.parametrize("kind", [np.array, pd.Index, pd.Series])
def test_columns_are_chosen_by_arrays(kind, mixed, quick):
    X, y = mixed
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = quick(categorical_features=kind(["a", "d"])).fit(frame, y)
    assert model.is_categorical_.tolist() == [True, False, False, True]
    model = quick(categorical_features=kind([True, False, False, True])).fit(X, y)
    assert model.is_categorical_.tolist() == [True, False, False, True]

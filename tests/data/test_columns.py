"""Reading the columns of every kind of table."""

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skembed._data.columns import as_table, is_frame, read


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
        read(pa.table({"x": [[1, 2], [3]]}))


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

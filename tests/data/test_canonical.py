"""One value is one token, whatever table and type it came in."""

import datetime as dt
import subprocess
import sys
import textwrap
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skembed import EmbeddingClassifier, EmbeddingRegressor, TokenSimilarity
from skembed._data.columns import as_table, read
from skembed._data.lookup import Vocabulary
from skembed._data.tokens import TokenIndex

DAYS = np.array(["2020-01-01", "2021-06-15", "2024-02-29", "1969-12-31"], "M8[ns]")
STAMPS = DAYS + np.array([1, 0, 5, 10**9], "m8[us]")
SPANS = np.array([0, 1_000, -5_000_000, 86_400_000_000_000], "m8[ns]")
BIG = [2**53, 2**53 + 1, 2**62, 2**63 - 1]


def python_times(values):
    return [pd.Timestamp(v).to_pydatetime() for v in values]


FORMS = {
    "days": [
        pd.DataFrame({"a": DAYS}),
        pd.DataFrame({"a": DAYS.astype("M8[s]")}),
        pd.DataFrame({"a": pd.Series(python_times(DAYS), dtype=object)}),
        pd.DataFrame({"a": pd.Series([d.date() for d in python_times(DAYS)])}),
        pd.DataFrame({"a": pd.Series(DAYS).dt.tz_localize("UTC")}),
        pd.DataFrame({"a": pd.Categorical(DAYS)}),
        pl.DataFrame({"a": DAYS.astype("M8[us]")}),
        pl.DataFrame({"a": [d.date() for d in python_times(DAYS)]}),
        pa.table({"a": pa.array(DAYS)}),
        pa.table({"a": pa.array(DAYS.astype("M8[D]"))}),
        DAYS.astype("M8[D]")[:, None],
        DAYS.astype("M8[D]").astype(object)[:, None],
    ],
    "times": [
        pd.DataFrame({"a": STAMPS}),
        pd.DataFrame({"a": pd.Series(python_times(STAMPS), dtype=object)}),
        pd.DataFrame(
            {"a": pd.Series(STAMPS).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")}
        ),
        pd.DataFrame(
            {
                "a": pd.Categorical(
                    pd.Series(STAMPS).dt.tz_localize("UTC").dt.tz_convert("US/Eastern")
                )
            }
        ),
        pl.DataFrame({"a": STAMPS}),
        pa.table({"a": pa.array(STAMPS.astype("M8[us]"), pa.timestamp("us", "UTC"))}),
        STAMPS[:, None],
        [[v] for v in python_times(STAMPS)],
    ],
    "spans": [
        pd.DataFrame({"a": SPANS}),
        pd.DataFrame({"a": pd.Series(list(pd.to_timedelta(SPANS)), dtype=object)}),
        pl.DataFrame({"a": SPANS.astype("m8[us]")}),
        pa.table({"a": pa.array(SPANS)}),
        SPANS.astype("m8[us]")[:, None],
        [[v] for v in SPANS.astype("m8[us]").tolist()],
    ],
    "big integers": [
        np.array(BIG, np.int64)[:, None],
        np.array(BIG, np.uint64)[:, None],
        np.array(BIG, object)[:, None],
        pd.DataFrame({"a": pd.array(BIG, "Int64")}),
        pd.DataFrame({"a": np.array(BIG, np.uint64)}),
        pl.DataFrame({"a": pl.Series(BIG, dtype=pl.UInt64)}),
        pa.table({"a": pa.array(BIG, pa.uint64())}),
        pa.table({"a": pa.array(BIG, pa.int64())}),
        [[v] for v in BIG],
    ],
    "text": [
        np.array(["x", "y", "", "1"], object)[:, None],
        np.array(["x", "y", "", "1"])[:, None],
        pd.DataFrame({"a": pd.array(["x", "y", "", "1"], "string")}),
        pd.DataFrame({"a": pd.Categorical(["x", "y", "", "1"])}),
        pl.DataFrame({"a": ["x", "y", "", "1"]}),
        pl.DataFrame({"a": pl.Series(["x", "y", "", "1"], dtype=pl.Categorical)}),
        pa.table({"a": pa.array(["x", "y", "", "1"]).dictionary_encode()}),
        pa.table({"a": pa.array(["x", "y", "", "1"], pa.string_view())}),
        [["x"], ["y"], [""], ["1"]],
    ],
    "bytes": [
        np.array([b"x", b"y", b"z", b"w"], object)[:, None],
        pd.DataFrame({"a": [b"x", b"y", b"z", b"w"]}),
        pl.DataFrame({"a": [b"x", b"y", b"z", b"w"]}),
        pa.table({"a": [b"x", b"y", b"z", b"w"]}),
        [[b"x"], [b"y"], [b"z"], [b"w"]],
    ],
}
PAIRS = [
    pytest.param(fit, new, id=f"{name}-{i}-{j}")
    for name, forms in FORMS.items()
    for i, fit in enumerate(forms)
    for j, new in enumerate(forms)
]


def column(X):
    return read(as_table(X))[0]


@pytest.mark.parametrize(("fit", "new"), PAIRS)
def test_a_value_is_known_in_every_form(fit, new):
    index, codes = TokenIndex.fit(column(fit), np.ones(4))
    assert sorted(codes) == [0, 1, 2, 3]
    np.testing.assert_array_equal(index.transform(column(new)), codes)
    grown, again = index.grown(column(new), np.ones(4))
    np.testing.assert_array_equal(again, codes)
    assert len(grown.categories) == 4


@pytest.mark.parametrize("n", [4, 30_000])
def test_bytes_are_no_text_whatever_the_number_of_rows(n):
    cells = np.array([b"a", "a", b"b", "b"] * (n // 4), object)
    index, codes = TokenIndex.fit(column(cells[:, None]), np.ones(n))
    assert len(index.categories) == 4
    only = np.array([b"a", b"b"] * (n // 2), object)
    index, codes = TokenIndex.fit(column(only[:, None]), np.ones(n))
    assert index.categories.tolist() == [b"a", b"b"]
    np.testing.assert_array_equal(index.transform(column([[b"b"], ["b"]])), [1, 2])


def test_a_large_float_is_no_integer():
    index, _ = TokenIndex.fit(column(np.array([[2**53], [2**53 + 1]])), np.ones(2))
    floats = np.array([[2.0**53], [2.0**53 + 2]])
    assert index.transform(column(floats)).tolist() == [2, 2]
    small, _ = TokenIndex.fit(column(np.array([[1], [2]])), np.ones(2))
    assert small.transform(column(np.array([[2.0], [1.0]]))).tolist() == [1, 0]


def test_text_late_in_a_list_of_rows_leaves_the_numbers_alone():
    rows = [[i % 5, 0.5] for i in range(150)] + [["x", 0.5]]
    first, second = read(as_table(rows))
    assert second.is_float
    assert set(first.factorize()[1].tolist()) == {0, 1, 2, 3, 4, "x"}


def test_a_cell_is_read_alone_as_in_a_batch():
    values = [np.datetime64("2020-01-01"), "x", 3, None]
    index, codes = TokenIndex.fit(column([[v] for v in values]), np.ones(4))
    for value, code in zip(values, codes, strict=True):
        assert index.transform(column([[value]])).tolist() == [code]


def test_durations_stay_durations_beside_missing_values():
    spans = np.append(SPANS, np.timedelta64("NaT"))
    index, codes = TokenIndex.fit(column(spans[:, None]), np.ones(5))
    assert index.categories.dtype.kind == "m"
    assert np.isnat(index.categories[-1])


def test_a_dictionary_of_arrow_may_repeat_itself_and_hold_a_null():
    codes = pa.array([0, 1, 2, 3, None], pa.int8())
    values = pa.DictionaryArray.from_arrays(codes, pa.array(["a", "a", None, "b"]))
    index, codes = TokenIndex.fit(column(pa.table({"a": values})), np.ones(5))
    assert index.categories.tolist() == ["a", "b", None]
    assert codes.tolist() == [0, 0, 2, 1, 2]


def test_the_mask_of_an_array_is_missing_values():
    X = np.ma.array([[1, 2], [1, 2], [3, 4]], mask=[[0, 0], [1, 0], [0, 1]])
    first, second = read(as_table(X))
    assert first.factorize()[0].tolist()[1] == -1
    assert second.factorize()[0].tolist()[2] == -1
    with pytest.raises(ValueError, match="masked value in row 1"):
        EmbeddingRegressor().fit(X, np.ma.array([1.0, 2, 3], mask=[0, 1, 0]))


def test_similarity_knows_tokens_in_other_forms():
    X = pd.DataFrame({"a": np.repeat(DAYS, 20)})
    y = np.repeat([0.0, 1.0, 5.0, 9.0], 20)
    model = TokenSimilarity(EmbeddingRegressor(2, (4,), epochs=2), random_state=0)
    model.fit(X, y)
    for form in (DAYS[1], dt.date(2021, 6, 15), pd.Timestamp("2021-06-15")):
        np.testing.assert_array_equal(
            model.similarities(form), model.similarities(pd.Timestamp(DAYS[1]))
        )
    known = Vocabulary(np.array(BIG, np.uint64))
    assert known.codes(np.array(BIG[::-1], np.int64)).tolist() == [3, 2, 1, 0]


# Numbers.

HUGE = {
    "1e20": [1e20],
    "-3.4e38": [-3.4e38],
    "1e308": [1e308, -1e308],
    "int64": [float(np.iinfo(np.int64).min), float(np.iinfo(np.int64).max)],
}


@pytest.mark.parametrize("make", [EmbeddingRegressor, EmbeddingClassifier])
@pytest.mark.parametrize("case", [*HUGE, "tiny", "denormal"])
def test_numbers_of_any_size_give_finite_predictions(case, make):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 2))
    y = X[:, 0] > 0
    if case in HUGE:
        X[: len(HUGE[case]), 0] = HUGE[case]
    else:
        X[:, 0] *= {"tiny": 1e-200, "denormal": 1e-310}[case]
    y = y if make is EmbeddingClassifier else y * 1.0
    model = make(2, (4,), epochs=5, random_state=0).fit(X, y)
    predict = getattr(model, "predict_proba", model.predict)
    assert np.isfinite(predict(X)).all()
    assert np.isfinite(predict(X[::-1] * 0.5)).all()


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.array([[1.0, np.inf], [2.0, 1.0]]), "infinity in the numeric column 1"),
        (pd.DataFrame({"w": [1.0, -np.inf]}), "infinity in the numeric column 'w'"),
        (np.array([[1.5], [10**400]], object), "column 0"),
        (pd.DataFrame({"i": pd.arrays.SparseArray([0.0, np.inf])}), "column 'i'"),
    ],
)
def test_what_is_no_number_is_named_with_its_column(X, message):
    model = EmbeddingRegressor(2, (4,), categorical_features=None, epochs=1)
    with pytest.raises(ValueError, match=message):
        model.fit(X, [0.0, 1.0])


def test_odd_cells_are_tokens():
    index, _ = TokenIndex.fit(
        column(np.array([[1.5], [Decimal("sNaN")]], object)), np.ones(2)
    )
    np.testing.assert_array_equal(index.categories, [1.5, np.nan])
    first, second = read(as_table([[1.5, "a"], [("b",), np.float64(2.0)]]))
    assert first.factorize()[1].tolist() == [1.5, ("b",)]
    assert second.factorize()[1].tolist() == ["a", 2.0]


@pytest.mark.parametrize(
    "values", [pa.array([[1], [2]]), pa.array([{"x": 1}, {"x": 2}])]
)
def test_nested_columns_of_arrow_are_refused(values):
    with pytest.raises(TypeError, match="Column 'odd' of X holds nested values"):
        column(pa.table({"odd": values})).factorize()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.RunEndEncodedArray.from_arrays([2, 3], ["a", "b"]), ["a", "a", "b"]),
        (
            pa.ExtensionArray.from_storage(
                pa.uuid(), pa.array([b"0" * 16, b"1" * 16], pa.binary(16))
            ),
            [UUID(bytes=b"0" * 16), UUID(bytes=b"1" * 16)],
        ),
    ],
    ids=["run-end", "uuid"],
)
def test_odd_columns_of_arrow_are_tokens(values, expected):
    codes, uniques = column(pa.table({"odd": values})).factorize()
    assert [uniques[code] for code in codes] == expected


def test_long_tokens_are_cut_in_messages():
    token = "x" * 1_000_000
    model = EmbeddingRegressor(2, (4,), epochs=1, handle_unknown="error")
    model.fit([["a"], ["b"]], [0.0, 1.0])
    with pytest.raises(ValueError, match="unknown tokens 'xxx") as error:
        model.predict([[token]])
    assert len(str(error.value)) < 1_000


@pytest.mark.parametrize("wanted", [[True, 0], ["a", 0], [0, True]])
def test_a_mask_does_not_mix_with_names_and_indices(wanted):
    X = pd.DataFrame({"a": ["x", "y"], "b": ["u", "v"]})
    with pytest.raises(ValueError, match="mixture"):
        EmbeddingRegressor(categorical_features=wanted).fit(X, [0.0, 1.0])


def test_polars_is_read_without_pyarrow():
    code = """
        import sys
        sys.modules["pyarrow"] = None
        import numpy as np, polars as pl
        from skembed import EmbeddingRegressor
        X = pl.DataFrame(
            {"a": ["x", "y", None] * 20, "b": [1, 2, 3] * 20, "c": [0.5, None] * 30}
        )
        y = np.arange(60.0)
        model = EmbeddingRegressor(2, (4,), epochs=1, random_state=0).fit(X, y)
        print(model.categories_[0].tolist(), np.isfinite(model.predict(X)).all())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split("\n")[0] == "['x', 'y', None] True", done.stderr

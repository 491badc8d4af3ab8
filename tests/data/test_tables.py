"""The same tokens give the same fit, whatever table they come in."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris

N = 40
rng = np.random.default_rng(0)
TEXT = rng.choice(np.array(["a", "b b", "ü", ""]), N).tolist()
GAPS = [None if i % 7 == 3 else text for i, text in enumerate(TEXT)]
WHOLE = rng.integers(-3, 3, N).tolist()
REAL = rng.normal(size=N).tolist()
REAL_GAPS = [None if i % 9 == 1 else real for i, real in enumerate(REAL)]
DAYS = [datetime.date(2020, 1, 1) + datetime.timedelta(int(k)) for k in WHOLE]
TIMES = [datetime.datetime(2020, 1, 1, 6) + datetime.timedelta(int(k)) for k in WHOLE]
BOOL = [bool(k > 0) for k in WHOLE]
Y = np.array(WHOLE) + np.array(REAL)


def objects(*columns):
    out = np.empty((N, len(columns)), dtype=object)
    for j, column in enumerate(columns):
        out[:, j] = column
    return out


def frames(**columns):
    """The columns in every kind of data frame, with its ways to hold them."""
    plain = pd.DataFrame(columns)
    table = pa.table(columns)
    return {
        "pandas": plain,
        "pandas objects": pd.DataFrame(columns, dtype=object),
        "pandas nullable": plain.convert_dtypes(dtype_backend="numpy_nullable"),
        "pandas arrow": plain.convert_dtypes(dtype_backend="pyarrow"),
        "polars": pl.DataFrame(columns),
        "pyarrow": table,
        "pyarrow chunks": pa.concat_tables([table[:7], table[7:]]),
    }


def fit(quick, X, **params):
    # "auto" asks what is floating point; here the question is what tokens are read.
    return quick(**params).fit(X, Y)


def check_same(quick, tables, expected, **params):
    reference = fit(quick, expected, **params)
    predicted = reference.predict(expected)
    for kind, X in tables.items():
        model = fit(quick, X, **params)
        for a, b in zip(model.embeddings_, reference.embeddings_, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=kind)
        np.testing.assert_array_equal(model.predict(X), predicted, err_msg=kind)
        if not isinstance(X, (np.ndarray, list)):
            names = [*map(str, getattr(X, "column_names", X.columns))]
            assert model.feature_names_in_.tolist() == names, kind


@pytest.mark.parametrize("prior", ["normal", None])
def test_text_whole_numbers_and_numbers(quick, prior):
    tables = frames(text=TEXT, whole=WHOLE, real=REAL)
    tables["pandas category"] = tables["pandas"].astype({"text": "category"})
    tables["pandas string"] = tables["pandas"].astype({"text": "string"})
    tables["polars categorical"] = tables["polars"].with_columns(
        pl.col("text").cast(pl.Categorical)
    )
    tables["list"] = list(zip(TEXT, WHOLE, REAL, strict=True))
    tables["nested list"] = [list(row) for row in tables["list"]]
    check_same(quick, tables, objects(TEXT, WHOLE, REAL), prior=prior)


def test_missing_values(quick):
    tables = frames(text=GAPS, real=REAL_GAPS)
    tables["pandas category"] = tables["pandas"].astype({"text": "category"})
    tables["nan"] = objects(
        [np.nan if t is None else t for t in GAPS],
        [np.nan if r is None else r for r in REAL_GAPS],
    )
    check_same(quick, tables, objects(GAPS, REAL_GAPS))


def test_whole_numbers_with_gaps(quick):
    gaps = [None if i % 5 == 0 else whole for i, whole in enumerate(WHOLE)]
    tables = frames(whole=gaps)
    # Without a nullable dtype pandas can only make floats of them: say what they are.
    check_same(quick, tables, objects(gaps), categorical_features="all")


def test_truth_values(quick):
    tables = frames(truth=BOOL)
    tables["numpy"] = np.array(BOOL)[:, None]
    tables["0 and 1"] = np.array(BOOL)[:, None].astype(np.int8)
    check_same(quick, tables, objects(BOOL))


@pytest.mark.parametrize("values", [DAYS, TIMES], ids=["dates", "times"])
def test_dates_and_times(quick, values):
    tables = {
        "pandas": pd.DataFrame({"x": pd.to_datetime(pd.Series(values))}),
        "polars": pl.DataFrame({"x": values}),
        "pyarrow": pa.table({"x": values}),
        "objects": objects(values),
    }
    in_numpy = np.array(values, dtype="datetime64[us]")[:, None]
    check_same(quick, tables, in_numpy)
    model = quick().fit(tables["polars"], Y)
    assert sorted(set(values)) == model.categories_[0].tolist()


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, object, str])
def test_arrays_of_whole_numbers(quick, dtype):
    X = np.array(WHOLE)[:, None] + 3
    check_same(quick, {"array": X.astype(dtype), "list": X.tolist()}, X)


def test_text_in_numpy(quick):
    tables = {
        "fixed width": np.array(TEXT)[:, None],
        "lists": [[t] for t in TEXT],
        "new strings": np.array(TEXT, dtype=np.dtypes.StringDType())[:, None],
    }
    check_same(quick, tables, objects(TEXT))


def test_a_fit_on_one_kind_predicts_on_another(quick):
    tables = frames(text=GAPS, whole=WHOLE, real=REAL)
    model = quick().fit(tables["pandas"], Y)
    expected = model.predict(tables["pandas"])
    for kind, X in tables.items():
        np.testing.assert_array_equal(model.predict(X), expected, err_msg=kind)


def test_categories_do_not_depend_on_the_order_or_on_unused_ones(quick):
    order = ["unused", "ü", "b b", "", "a"]
    X = pd.DataFrame({"x": pd.Categorical(TEXT, order)})
    model = quick().fit(X, Y)
    assert model.categories_[0].tolist() == sorted(set(TEXT))
    np.testing.assert_array_equal(
        model.embedding_, fit(quick, objects(TEXT)).embedding_
    )


def test_y_from_every_kind_of_table(quick):
    X = objects(TEXT)
    expected = quick().fit(X, Y).embedding_
    for y in (Y.tolist(), pd.Series(Y), pl.Series(Y), pa.array(Y)):
        np.testing.assert_array_equal(quick().fit(X, y).embedding_, expected)


def test_a_table_of_numbers_only(quick):
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = quick().fit(X, y)
    assert model.embeddings_ == []
    np.testing.assert_array_equal(
        model.predict(X), quick().fit(X.to_numpy(), y).predict(X.to_numpy())
    )

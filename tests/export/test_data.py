"""Vectors as data: safetensors, and one long table that SQL joins."""

import json

import numpy as np
import pandas as pd
import pytest
from export_cases import AWKWARD, GivenVectors, fitted_on_two_columns
from numpy.testing import assert_allclose, assert_array_equal

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed.export import from_safetensors, to_parquet, to_safetensors, to_table

SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (), "random_state": 0}


@pytest.fixture(scope="module")
def awkward():
    return GivenVectors(AWKWARD).fit()


@pytest.fixture(scope="module")
def two_columns():
    return fitted_on_two_columns()


# --- safetensors


def test_safetensors_give_every_token_and_number_back(awkward, tmp_path):
    path = to_safetensors(awkward, tmp_path / "v.safetensors")
    (column,) = from_safetensors(path).values()
    assert column["tokens"].tolist() == AWKWARD
    assert list(map(type, column["tokens"])) == list(map(type, AWKWARD))
    assert_array_equal(column["vectors"], awkward.embeddings_[0])
    assert_array_equal(column["counts"], awkward.category_counts_[0])
    spreads = 1.0 / np.sqrt(column["precisions"])
    assert_allclose(spreads, awkward.embeddings_std_[0], rtol=1e-6)
    assert [file.name for file in tmp_path.iterdir()] == ["v.safetensors"]


def test_safetensors_are_read_without_this_library(two_columns, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    path = to_safetensors(two_columns, tmp_path / "v")
    with safetensors.safe_open(path, "numpy") as file:
        names = json.loads(file.metadata()["skembed vectors 1"])
        tokens = json.loads(file.get_tensor("1.tokens").tobytes())
        vectors = file.get_tensor("1.vectors")
        scales = file.get_tensor("1.scales")
    assert names == {"0": 'a "b"\n', "1": "n"} and tokens == [1, 2, 3]
    assert_array_equal(vectors, two_columns.embeddings_[1])
    assert_allclose(scales, two_columns.prior_scales_[1], rtol=1e-6)
    assert set(from_safetensors(path)) == {'a "b"\n', "n"}


def test_points_have_no_precisions(untrained, tmp_path):
    cells = np.array([["a"], ["b"], [None]] * 10, object)
    model = untrained(EmbeddingRegressor(prior=None, **SMALL), cells, np.arange(30.0))
    (column,) = from_safetensors(to_safetensors(model, tmp_path / "v")).values()
    assert set(column) == {"tokens", "vectors", "counts"}
    assert column["tokens"].tolist() == ["a", "b", None]


def test_other_files_are_refused(two_columns, tmp_path):
    save = pytest.importorskip("safetensors.numpy").save_file
    path = tmp_path / "v"
    path.write_bytes(b"not at all")
    with pytest.raises(ValueError, match="is no file of safetensors"):
        from_safetensors(path)
    save({"x": np.ones(2)}, path)
    with pytest.raises(ValueError, match="not written by to_safetensors"):
        from_safetensors(path)
    arrays = {"0.vectors": np.ones((2, 1)), "0.counts": np.ones(2)}
    for tokens in (b'["a"]', b'[{"name": 3}, "a"]', b"[", b"3"):
        metadata = {"skembed vectors 1": '{"0": "c"}'}
        save({**arrays, "0.tokens": np.frombuffer(tokens, np.uint8)}, path, metadata)
        with pytest.raises(ValueError, match="does not hold what to_saf"):
            from_safetensors(path)


@pytest.mark.parametrize("write", [to_safetensors, to_parquet])
def test_an_error_leaves_the_old_file(tmp_path, write):
    path = tmp_path / "vectors"
    path.write_bytes(b"old")
    broken = GivenVectors(["a", (1, 2)]).fit()
    broken.category_counts_ = [["no number"] * 2]
    with pytest.raises((TypeError, ValueError)):
        write(broken, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


# --- one long table


def test_the_table_holds_every_token_as_text(awkward):
    table = to_table(awkward).to_pydict()
    assert table["column"] == ["x0"] * len(AWKWARD)
    assert table["token"][AWKWARD.index("größe")] == "größe"
    assert table["token"][AWKWARD.index("\ud800")] == "\\ud800"
    assert table["token"][-1] is None and table["kind"][-1] == "missing"
    at = AWKWARD.index("3")
    assert table["token"][at : at + 2] == ["3", "3"]
    assert table["kind"][at : at + 2] == ["str", "int"]
    assert_array_equal(np.array(table["vector"], np.float32), awkward.embeddings_[0])
    assert_array_equal(np.array(table["std"], np.float32), awkward.embeddings_std_[0])
    assert table["effect"] == [None] * len(AWKWARD)


def test_parquet_is_the_table(two_columns, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    path = to_parquet(two_columns, tmp_path / "v.parquet")
    table = to_table(two_columns)
    assert pq.read_table(path).equals(table, check_metadata=False)
    assert set(table["column"].to_pylist()) == {'a "b"\n', "n"}


def test_encoders_have_vectors_without_effects(untrained):
    cells = np.array([["a"], ["b"]] * 20, object)
    base = EmbeddingRegressor(**SMALL)
    encoder = EmbeddingEncoder(base, cv=2, random_state=0).fit(cells, np.arange(40.0))
    table = to_table(encoder)
    assert table["effect"].null_count == 2
    assert b"intercept" not in (table.schema.metadata or {})


def tokens(n=400):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"shop": rng.choice(list("abcde"), n), "day": rng.choice(["mo", "tu", "we"], n)}
    )
    return frame, frame["shop"].map(ord) + rng.normal(size=n)


@pytest.mark.parametrize("kind", ["one", "two outputs", "log-odds"])
def test_predictions_of_the_additive_part_are_a_join(untrained, tmp_path, kind):
    duckdb = pytest.importorskip("duckdb")
    X, y = tokens()
    make = EmbeddingClassifier if kind == "log-odds" else EmbeddingRegressor
    of_kind = {"two outputs": np.stack([y, -y], axis=1), "log-odds": y > y.mean()}
    y = of_kind.get(kind, y)
    model = untrained(make(prior="normal", **SMALL), X, y)
    model._fitted.weights.dense["kernel_0"][:] = 0.0  # the additive part alone
    model._fitted.weights.table.mean[[5, 9]] = 0.0  # the prior, as after any fit
    path = to_parquet(model, tmp_path / "vectors.parquet")
    intercept = json.loads(to_table(model).schema.metadata[b"intercept"])
    rows = X[:50].copy()
    rows.loc[:5, "shop"] = "new"
    rows["id"] = range(50)
    found = duckdb.sql(f"""
        SELECT id, {intercept[-1]} + sum(coalesce(effect[{len(intercept)}], 0)) AS y
        FROM (UNPIVOT rows ON shop, day INTO NAME "column" VALUE token)
        LEFT JOIN '{path}' USING ("column", token) GROUP BY id ORDER BY id
    """).fetchnumpy()["y"]
    asked = rows[["shop", "day"]]
    expected = model._fitted.predictor.outputs(model._encoded(asked))
    if kind != "log-odds":
        expected = model.predict(asked)
    assert_allclose(found, np.asarray(expected).reshape(50, -1)[:, -1], rtol=1e-6)


@pytest.mark.parametrize("kind", ["hierarchy", "token_features", "shared_features"])
def test_effects_of_vectors_that_are_sums_add_up(untrained, kind):
    X, y = tokens()
    X["town"], X["other"] = X["shop"].map(ord) % 3, X["shop"].to_numpy()[::-1]
    country = {0: "north", 1: "south", 2: "north", 9: "south"}
    known = pd.DataFrame({"size": [1.0, 2.0, 5.0]}, index=["a", "b", "z"])
    params = {
        "hierarchy": {"shop": "town", "town": country},
        "token_features": {"shop": known},
        "shared_features": [["shop", "other"]],
    }
    model = EmbeddingRegressor(**{kind: params[kind]}, **SMALL)
    untrained(model, X, y)
    model._fitted.weights.dense["kernel_0"][:] = 0.0  # the additive part alone
    table = to_table(model)
    found = np.full(len(X), json.loads(table.schema.metadata[b"intercept"])[0])
    rows = table.to_pandas()
    for name in X.columns:
        own = rows[rows["column"] == name].set_index("token")["effect"].str[0]
        found += own[X[name].astype(str)].to_numpy()
    assert_allclose(found, model.predict(X), rtol=1e-6)


def test_effects_of_tokens_of_every_kind(untrained):
    cells = [t for t in AWKWARD if not isinstance(t, (bytes, str))] + ["unknown"]
    X = np.empty((len(cells) * 3, 2), object)
    X[:, 0] = cells * 3
    X[:, 1] = pd.date_range("2020", periods=len(X), unit="ns") + pd.Timedelta(7, "ns")
    model = untrained(EmbeddingRegressor(**SMALL), X, np.arange(len(X), dtype=float))
    model._fitted.weights.dense["kernel_0"][:] = 0.0
    table = to_table(model).to_pydict()
    intercept = json.loads(to_table(model).schema.metadata[b"intercept"])[0]
    effects = np.array([effect[0] for effect in table["effect"]])
    codes = model._encoded(X).codes  # nothing is pooled: positions of the categories
    found = intercept + effects[codes[:, 0]] + effects[len(cells) + codes[:, 1]]
    assert_allclose(found, model.predict(X), rtol=1e-6)


def test_nearest_tokens_are_a_join(untrained, tmp_path):
    duckdb = pytest.importorskip("duckdb")
    X, y = tokens()
    model = untrained(EmbeddingRegressor(**SMALL), X, y)
    path = to_parquet(model, tmp_path / "vectors.parquet")
    found = duckdb.sql(f"""
        SELECT b.token FROM '{path}' a JOIN '{path}' b USING ("column")
        WHERE "column" = 'shop' AND a.token = 'c' AND b.token <> 'c'
        ORDER BY list_distance(a.vector, b.vector)
    """).fetchnumpy()["token"]
    vectors = model.embeddings_[0].astype(float)
    far = np.linalg.norm(vectors - vectors[2], axis=1)
    order = [t for t in np.array(list("abcde"))[np.argsort(far)] if t != "c"]
    assert found.tolist() == order

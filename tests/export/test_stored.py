"""Files of skops and pickles: types that are named, and versions that were."""

import datetime
import json
import pickle
import runpy
import warnings
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from export_cases import AWKWARD
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skembed
from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed._versions import VersionWarning
from skembed.export import TRUSTED_TYPES

io = pytest.importorskip("skops.io")

FITTED = Path(__file__).parents[1] / "fitted"
VERSIONS = sorted(path.name for path in FITTED.iterdir() if path.name[0].isdigit())
MAKE = runpy.run_path(str(FITTED / "make.py"), run_name="make")
SMALL = MAKE["SMALL"]
FILES = [
    pytest.param(path, id=f"{path.parent.name}/{path.name}")
    for version in VERSIONS
    for path in sorted((FITTED / version).glob("*.*"))
    if path.suffix in (".pkl", ".skops")
]


def load(path):
    if path.suffix == ".pkl":
        return pickle.loads(path.read_bytes())
    return io.load(path, trusted=TRUSTED_TYPES)


@pytest.mark.parametrize("path", FILES)
def test_files_of_all_versions_load_and_say_the_same(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionWarning)
        model = load(path)
    told = json.loads((path.parent / "answers.json").read_text(encoding="utf-8"))
    expected = told[path.stem]
    np.testing.assert_allclose(MAKE["answers"](model), expected, rtol=1e-6, atol=1e-9)


def test_the_version_at_hand_has_its_files():
    assert skembed.__version__.removesuffix(".dev0") in VERSIONS


LOSSES = ["squared_error", "absolute_error", "huber", "quantile", "poisson", "gamma"]


ZONE = datetime.timezone(datetime.timedelta(hours=3))
OF_PYTHON = [
    datetime.date(2020, 2, 29),
    datetime.datetime(2020, 1, 1, tzinfo=ZONE),
    datetime.time(23, 59),
    datetime.timedelta(1),
    Decimal("1.10"),
]


def every_kind(X, y):
    few = np.digitize(y, [2, 4])
    for loss in LOSSES:
        quantile = 0.4 if loss == "quantile" else None
        yield EmbeddingRegressor(loss=loss, quantile=quantile, **SMALL).fit(X, y)
    yield EmbeddingRegressor(loss="poisson", **SMALL).fit(X, np.floor(y))  # counts
    yield EmbeddingRegressor(prior=None, **SMALL).fit(X, y)
    yield EmbeddingRegressor(**SMALL).partial_fit(X, y)
    stream = EmbeddingRegressor(multi_valued_features=[0], **SMALL)
    yield stream.partial_fit(X, y)
    yield EmbeddingRegressor(shared_features=[[0, 1]], **SMALL).fit(X, y)
    within = {1: {0: "low", 1: "low", 2: "high"}}
    yield EmbeddingRegressor(hierarchy=within, **SMALL).fit(X, y)
    known = {"token": [0, 1], "even": [1.0, 0.0]}
    yield EmbeddingRegressor(token_features={1: known}, **SMALL).fit(X, y)
    added = {"varying_slopes": {0: "all"}, "crosses": [(0, 1)]}
    yield EmbeddingRegressor(**added, **SMALL).fit(X, y)
    yield EmbeddingClassifier(**SMALL).fit(X, few)
    yield EmbeddingClassifier(**SMALL).fit(X, few).calibrate(X, few)
    yield EmbeddingClassifier(**SMALL).partial_fit(X, few > 0, classes=[False, True])
    for params in ({"output": "mean_std", "target_mean": True}, {"rotation": None}):
        base = EmbeddingRegressor(**SMALL)
        yield EmbeddingEncoder(base, cv=2, random_state=0, **params).fit(X, y)


def test_skops_holds_no_types_but_those_that_are_named(untrained):
    X, y = MAKE["rows"]()
    seen = set()
    for model in every_kind(X, y):
        stored = io.dumps(model)
        seen |= set(io.get_untrusted_types(data=stored))
        again = io.loads(stored, trusted=TRUSTED_TYPES)
        np.testing.assert_array_equal(
            MAKE["answers"](again) if hasattr(model, "transform") else again.predict(X),
            MAKE["answers"](model) if hasattr(model, "transform") else model.predict(X),
        )
    for one in OF_PYTHON:
        cells = np.array([["a"], [one]] * 10, object)
        model = EmbeddingRegressor(**SMALL).fit(cells, np.arange(20.0))
        seen |= set(io.get_untrusted_types(data=io.dumps(model)))
    seen |= set(io.get_untrusted_types(file=FITTED / VERSIONS[-1] / "similarity.skops"))
    assert seen == set(TRUSTED_TYPES)


def test_tokens_of_every_kind_and_hostile_names_come_back(untrained):
    tokens = [*AWKWARD, *OF_PYTHON[1:4:2]]
    cells = np.empty((3 * len(tokens), 1), object)
    cells[:, 0] = tokens * 3
    X = pd.DataFrame(cells, columns=['a "b"\n/..\x00\u2028<script>'], dtype=object)
    model = untrained(EmbeddingRegressor(**SMALL), X, np.arange(float(len(X))))
    for again in (
        io.loads(io.dumps(model), trusted=TRUSTED_TYPES),
        pickle.loads(pickle.dumps(model)),
    ):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        assert again.feature_names_in_ == model.feature_names_in_
        pairs = zip(again.categories_[0], model.categories_[0], strict=True)
        assert all(type(one) is type(other) for one, other in pairs)


def test_what_could_run_is_not_trusted(untrained):
    X, y = MAKE["rows"]()
    model = EmbeddingRegressor(activation=np.tanh, **SMALL).fit(X, y)
    stored = io.dumps(make_pipeline(FunctionTransformer(print), model))
    from skops.io.exceptions import UntrustedTypesFoundException

    with pytest.raises(UntrustedTypesFoundException, match="print"):
        io.loads(stored, trusted=TRUSTED_TYPES)


def test_mlflow_logs_and_loads_with_its_defaults(tmp_path, untrained, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    # A database would need all of MLflow; models are written alike.
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    X, y = MAKE["rows"]()
    model = EmbeddingRegressor(**SMALL).fit(X, y)
    with mlflow.start_run():
        with pytest.raises(mlflow.MlflowException, match="untrusted types"):
            mlflow.sklearn.log_model(model, name="refused")
        logged = mlflow.sklearn.log_model(
            model, name="model", skops_trusted_types=TRUSTED_TYPES
        )
    again = mlflow.sklearn.load_model(logged.model_uri)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))

"""ONNX: graphs compute what the estimators compute, and refuse what they cannot."""

import datetime
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from export_cases import AWKWARD
from heads import no_head
from numpy.testing import assert_allclose, assert_array_equal
from onnx_cases import TOKENS, feeds, outcome, random_network, run, strange, table
from sklearn.linear_model import LinearRegression

from skembed import (
    EmbeddingClassifier,
    EmbeddingEncoder,
    EmbeddingRegressor,
    _settings,
)
from skembed._model.activations import ACTIVATION_NAMES
from skembed._model.calibration import LogOdds
from skembed.export import to_onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

X, Q = table(600), strange(20_000)
Y = outcome(X)
SMALL = {"embedding_dim": 3, "hidden_layer_sizes": (6, 5), "random_state": 0}
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def regressor(**params):
    return EmbeddingRegressor(
        **{**SMALL, "categorical_features": TOKENS, "min_frequency": 15, **params}
    )


def classifier(**params):
    return EmbeddingClassifier(
        **{**SMALL, "categorical_features": TOKENS, "min_frequency": 15, **params}
    )


# --- predictions


@pytest.mark.parametrize("handle_unknown", ["infrequent_if_exist", "prior"])
@pytest.mark.parametrize("prior", ["normal", None])
def test_predictions_of_20_000_rows(untrained, prior, handle_unknown):
    model = untrained(regressor(prior=prior, handle_unknown=handle_unknown), X, Y)
    found = run(to_onnx(model), Q)
    assert found["prediction"].shape == (20_000, 1)
    assert_allclose(found["prediction"][:, 0], model.predict(Q), **CLOSE)


def test_predictions_of_a_trained_network():
    model = regressor(epochs=2).fit(X, Y)
    assert_allclose(
        run(to_onnx(model), Q)["prediction"][:, 0], model.predict(Q), **CLOSE
    )


@pytest.mark.parametrize(
    "loss", ["absolute_error", "huber", "quantile", "poisson", "gamma", "counts"]
)
def test_every_loss_with_its_spread_and_intervals(untrained, loss):
    quantile, y = 0.3 if loss == "quantile" else None, np.exp(Y / 8)
    if loss == "counts":  # whole numbers, whose rates have a noise of their own
        loss, y = "poisson", np.floor(y)
    model = untrained(regressor(loss=loss, quantile=quantile), X, y, scale=0.2)
    rows = Q[:1500]
    outputs = ["interval", "prediction", "std"]
    found = run(to_onnx(model, outputs=outputs, coverage=0.8), rows)
    assert list(found) == ["lower", "upper", "prediction", "std"]
    assert_allclose(found["prediction"][:, 0], model.predict(rows), **CLOSE)
    assert_allclose(found["std"][:, 0], model.predict_std(rows), **CLOSE)
    interval = np.concatenate([found["lower"], found["upper"]], axis=1)
    assert_allclose(interval, model.predict_interval(rows, coverage=0.8), **CLOSE)


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation_and_its_slope(untrained, activation):
    model = regressor(activation=activation, loss="poisson")
    untrained(model, X, np.exp(Y / 8), scale=0.2)
    assert_allclose(
        run(to_onnx(model), Q)["prediction"][:, 0], model.predict(Q), **CLOSE
    )


def test_several_outputs(untrained):
    y = np.stack([Y, -2e3 * Y], axis=1)
    model = untrained(regressor(embedding_dim=[1, 2, 3, 4]), X, y)
    rows = Q[:1000]
    found = run(to_onnx(model, outputs=["prediction", "interval", "vectors"]), rows)
    assert_allclose(found["prediction"], model.predict(rows), **CLOSE)
    interval = np.stack([found["lower"], found["upper"]], axis=1)
    assert_allclose(interval, model.predict_interval(rows), **CLOSE)
    assert found["vectors"].shape == (1000, 1 + 2 + 3 + 4)
    codes = model._encoded(rows).codes + model._fitted.offsets.clip(max=10**9)
    first = model._fitted.weights.table.mean[codes[:, 1], :2]
    assert_array_equal(found["vectors"][:, 1:3], first)


@pytest.mark.parametrize("prior", ["normal", None])
@pytest.mark.parametrize("kind", ["two", "many", "whole", "several"])
def test_every_kind_of_classes(untrained, kind, prior):
    y = {
        "two": np.where(Y > 4, "großer Wert", ""),
        "many": np.digitize(Y, [2, 4, 6, 8, 10]) * 2.0,
        "whole": np.digitize(Y, [2, 4, 6]) - 2,
        "several": np.stack([Y > 2, Y > 4, Y > 9], axis=1).astype(int),
    }[kind]
    model = untrained(classifier(prior=prior), X, y)
    found = run(to_onnx(model), Q)
    assert_allclose(found["probabilities"], model.predict_proba(Q), **CLOSE)
    assert found["label"].shape == model.predict(Q).shape
    ties = np.sort(model.predict_proba(Q), axis=1)
    sure = np.abs(model.predict_proba(Q) - 0.5).min(axis=1) > 1e-5
    if kind != "several":
        sure = ties[:, -1] - ties[:, -2] > 1e-5
    assert_array_equal(found["label"][sure], model.predict(Q)[sure])
    assert sure.mean() > 0.99


@pytest.mark.parametrize("kind", ["two", "many", "several"])
def test_probabilities_that_are_calibrated(untrained, kind):
    y = {
        "two": np.where(Y > 4, "a", "b"),
        "many": np.digitize(Y, [2, 4, 6]),
        "several": np.stack([Y > 2, Y > 9], axis=1).astype(int),
    }[kind]
    model = untrained(classifier(), X, y, scale=2.0)  # many are next to 0 and 1
    n = model._fitted.architecture.n_outputs
    slope = np.full(n, 1.3) if kind == "many" else np.linspace(0.7, 1.5, n)
    log_odds = LogOdds(slope, np.linspace(-15.0, 9.0, n))
    model._fitted = replace(model._fitted, log_odds=log_odds)
    found = run(to_onnx(model), Q[:4000])["probabilities"]
    assert_allclose(found, model.predict_proba(Q[:4000]), **CLOSE)


def test_intervals_after_calibrate_and_beyond_the_range():
    model = regressor(epochs=2).fit(X, Y)
    rows = Q[:2000].copy()
    rows["holes"] *= 50.0
    rows["far"] -= 1e7
    numbers = model._encoded(rows).numbers
    assert (model._fitted.beyond.variance(numbers) > 0).any()
    drift = np.zeros((2, numbers.shape[1], 1))
    drift[:, :, 0] = np.arange(1.0, 1.0 + drift.size).reshape(2, -1)
    model._fitted = replace(model._fitted, drift=drift)
    outputs = ["prediction", "std", "interval"]
    for _ in range(2):
        found = run(to_onnx(model, outputs=outputs), rows)
        assert_allclose(found["std"][:, 0], model.predict_std(rows), **CLOSE)
        interval = np.concatenate([found["lower"], found["upper"]], axis=1)
        assert_allclose(interval, model.predict_interval(rows), **CLOSE)
        model.calibrate(X[:200], 3.0 * Y[:200])


def test_wide_posteriors_of_many_classes(untrained):
    """The root of a covariance without full rank, and of one that is all but zero."""
    model = untrained(
        classifier(embedding_dim=2, hidden_layer_sizes=()), X, np.digitize(Y, range(9))
    )
    table_ = model._fitted.weights.table
    table_.precision[:] = 0.05
    table_.precision[:3] = 1e20
    found = run(to_onnx(model), Q[:4000])
    assert_allclose(found["probabilities"], model.predict_proba(Q[:4000]), **CLOSE)


@pytest.mark.parametrize("columns", [["far"], ["holes", "two"], ["text"], TOKENS])
@pytest.mark.parametrize("make", [regressor, classifier])
def test_only_numbers_and_only_tokens(untrained, columns, make):
    y = Y if make is regressor else Y > 4
    tokens = [name for name in columns if name in TOKENS]
    model = untrained(make(categorical_features=tokens), X[columns], y)
    found = run(to_onnx(model), Q[columns])
    if make is regressor:
        assert_allclose(found["prediction"][:, 0], model.predict(Q[columns]), **CLOSE)
    else:
        assert_allclose(
            found["probabilities"], model.predict_proba(Q[columns]), **CLOSE
        )


@pytest.mark.parametrize("make", [regressor, classifier])
def test_few_combinations_are_looked_up(untrained, make, monkeypatch):
    columns = ["text", "truth", "whole"]
    model = (
        make(categorical_features="all", loss="poisson")
        if make is regressor
        else (make(categorical_features="all"))
    )
    y = np.exp(Y / 8) if make is regressor else np.digitize(Y, [2, 6]).astype(str)
    untrained(model, X[columns], y, scale=0.2)
    outputs = ["vectors", "std", "prediction"] if make is regressor else None
    short = to_onnx(model, outputs=outputs)
    monkeypatch.setattr(_settings, "TABLE_MOST", 0)
    monkeypatch.setattr(_settings, "TABLE_DRAWN", 0)
    long = to_onnx(model, outputs=outputs)
    assert len(short.graph.node) < 32 < len(long.graph.node)
    rows = Q[columns][:3000]
    tabled, computed = run(short, rows), run(long, rows)
    assert list(tabled) == list(computed) == (outputs or ["label", "probabilities"])
    for name in tabled:
        if name == "label":
            assert_array_equal(tabled[name], computed[name])
        else:
            assert_allclose(tabled[name], computed[name], **CLOSE)
    if make is regressor:
        assert_allclose(tabled["prediction"][:, 0], model.predict(rows), **CLOSE)
    else:
        assert_array_equal(tabled["label"], model.predict(rows))


# --- the encoder


@pytest.mark.parametrize("remainder", ["drop", "passthrough"])
@pytest.mark.parametrize("output", ["mean", "mean_std", "first_order"])
def test_encoders(untrained, output, remainder):
    model = EmbeddingEncoder(
        EmbeddingRegressor(**SMALL, min_frequency=15),
        categorical_features=TOKENS,
        output=output,
        remainder=remainder,
        cv=2,
        random_state=0,
    )
    model.fit(X, Y)
    random_network(model)
    graph = to_onnx(model)
    assert [column.name for column in graph.graph.input] == list(X.columns)
    assert_allclose(run(graph, Q)["vectors"], model.transform(Q), **CLOSE)


def test_an_encoder_of_classes(untrained):
    model = EmbeddingEncoder(EmbeddingClassifier(**SMALL), cv=2, random_state=0)
    columns = ["whole", "text"]
    model.fit(X[columns], np.digitize(Y, [2, 6]))
    random_network(model)
    found = run(to_onnx(model), Q[columns])
    assert_allclose(found["vectors"], model.transform(Q[columns]), **CLOSE)


# --- columns


def test_inputs_have_the_types_of_their_tokens(untrained):
    model = untrained(regressor(), X, Y)
    kinds = [c.type.tensor_type.elem_type for c in to_onnx(model).graph.input]
    names = ["STRING", "INT64", "BOOL", "DOUBLE", "DOUBLE", "DOUBLE", "DOUBLE"]
    assert kinds == [getattr(onnx.TensorProto, name) for name in names]
    shape = to_onnx(model).graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param == "n_rows" and shape[1].dim_value == 1


def test_missing_whole_numbers_and_truth_values(untrained):
    frame = pd.DataFrame(
        {
            "whole": pd.array([1, 2, None, 4] * 30, dtype="Int64"),
            "truth": pd.array([True, None, False, True, None] * 24, dtype="boolean"),
        }
    )
    model = untrained(
        regressor(categorical_features="all", min_frequency=None),
        frame,
        np.arange(120.0),
    )
    rows = pd.DataFrame(
        {"whole": [1.0, 2.0, np.nan, 2.5, 9.0, 2.0**60, np.inf], "truth": [1.0] * 7}
    )
    rows.loc[6] = [np.nan, np.nan]
    rows.loc[7] = [4.0, 0.0]
    found = run(to_onnx(model), rows)["prediction"][:, 0]
    as_read = rows.astype(object)
    assert_allclose(found, model.predict(as_read), **CLOSE)


def test_codes_of_narrow_integers_and_categories(untrained):
    frame = pd.DataFrame(
        {"i": X["whole"].astype("int8"), "c": X["text"].astype("category")}
    )
    model = untrained(regressor(categorical_features="all"), frame, Y)
    rows = pd.DataFrame({"i": Q["whole"], "c": Q["text"]})[:2000]
    assert_allclose(
        run(to_onnx(model), rows)["prediction"][:, 0], model.predict(rows), **CLOSE
    )


def texts():
    return [token for token in AWKWARD if isinstance(token, str)]


def test_hostile_tokens_and_column_names(untrained):
    tokens = [*texts(), "a\x00b", "a"]
    names = ["", "_0_Gather", "prediction", 'a "b"\n/..', "x0"]
    writable = [token for token in tokens if token != "\ud800"]
    cells = np.array([[t] * 5 for t in tokens] * 3, dtype=object)
    frame = pd.DataFrame(cells, columns=names, dtype=object)
    model = untrained(
        regressor(categorical_features="all", min_frequency=None),
        frame,
        np.arange(len(frame), dtype=float),
    )
    graph = to_onnx(model, outputs=["prediction", "vectors"])
    inputs = [column.name for column in graph.graph.input]
    assert inputs == ["x0_", *names[1:]]
    rows = pd.DataFrame(
        np.array([[t] * 5 for t in writable], dtype=object), columns=names, dtype=object
    )
    found = run(graph, rows)
    assert list(found) == ["prediction_", "vectors"]
    assert_allclose(found["prediction_"][:, 0], model.predict(rows), **CLOSE)
    assert len(np.unique(found["vectors"], axis=0)) == len(writable)


def test_a_spelling_of_missing_that_is_a_token_is_that_token(untrained):
    cells = np.array(["", "None", "nan", "a", None] * 12, dtype=object)[:, None]
    params = {"categorical_features": "all", "min_frequency": None}
    model = untrained(regressor(**params), cells, np.arange(60.0))
    rows = cells[:5].copy()
    expected = model.predict(rows)
    rows[4, 0] = "<NA>"
    assert_allclose(run(to_onnx(model), rows)["prediction"][:, 0], expected, **CLOSE)
    rows[4, 0] = "-"
    graph = to_onnx(model, missing="-")
    assert_allclose(run(graph, rows)["prediction"][:, 0], expected, **CLOSE)
    with pytest.raises(ValueError, match="'x0' has missing.*'None'.*another spelling"):
        to_onnx(model, missing=["", "None"])


# --- refusals


DAYS = [datetime.date(2020, 1, 1 + k) for k in range(4)]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["a", 1, "b", 2.5], "holds tokens of several kinds.*2.5, 1, 'a'; turn"),
        (DAYS, "holds dates or times; turn them into text, or into whole numbers"),
        ([d - DAYS[0] for d in DAYS], "holds durations; turn them into whole numbers"),
        (
            [b"a", b"b", b"c", b"d"],
            "of one that ONNX does not have.*b'a'",
        ),
        ([2**63, 1, 2, 3], "beyond 64 bits"),
        ([2**53, 1, 2, None], "missing values and whole numbers of 2\\*\\*53"),
    ],
)
def test_columns_that_onnx_cannot_have(untrained, tmp_path, cells, message):
    table_ = np.array([["x", cell] for cell in cells] * 8, dtype=object)
    model = regressor(categorical_features="all", min_frequency=None)
    untrained(model, table_, np.arange(32.0))
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match=f"Column 'x1' .*{message}"):
        to_onnx(model, path)
    assert path.read_bytes() == b"old"


def test_what_has_no_graph_is_refused(untrained):
    with pytest.raises(TypeError, match="LinearRegression is none of.*skl2onnx"):
        to_onnx(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    model = untrained(regressor(handle_unknown="error"), X, Y)
    with pytest.raises(ValueError, match="set_params\\(handle_unknown='prior'\\)"):
        to_onnx(model)
    for outputs in ["label", [], ["std", "std"]]:
        with pytest.raises(ValueError, match="outputs=.*prediction, std, interval"):
            to_onnx(model, outputs=outputs)
    with pytest.raises(ValueError, match="opset=12 must be.* 13 to"):
        to_onnx(model, opset=12)
    points = untrained(regressor(prior=None), X, Y)
    with pytest.raises(ValueError, match="standard deviation.*needs the posterior"):
        to_onnx(points, outputs="std")
    bent = untrained(regressor(activation=np.tanh), X, Y)
    with pytest.raises(TypeError, match="The activation 'tanh' is a function"):
        to_onnx(bent)
    model.set_params(handle_unknown="prior")
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        to_onnx(model, outputs="interval", coverage=1.0)
    numbers = untrained(regressor(categorical_features=None), X[["far"]], Y)
    with pytest.raises(ValueError, match="without a column of tokens"):
        to_onnx(numbers, outputs="vectors")


def test_labels_that_onnx_cannot_have(untrained):
    y = np.array([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)] * 300, "M8[D]")
    model = untrained(classifier(), X, y)
    with pytest.raises(TypeError, match="labels of y.*turn them into text"):
        to_onnx(model)
    graph = to_onnx(model, outputs="probabilities")
    found = run(graph, Q[:500])["probabilities"]
    assert_allclose(found, model.predict_proba(Q[:500]), **CLOSE)


# --- files and versions


def test_the_file_is_the_model(untrained, tmp_path):
    model = untrained(regressor(), X, Y)
    graph = to_onnx(model, tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx") == graph
    assert graph.producer_name == "skembed"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize("opset", [13, 15, 17, 18, 21, 22, 23, 24, 25, 26])
def test_every_opset_computes_the_same(untrained, opset):
    model = untrained(classifier(), X, np.digitize(Y, [2, 6]))
    graph = to_onnx(model, opset=opset)
    assert graph.opset_import[0].version == opset
    rows = Q[:500]
    try:
        found = run(graph, rows)["probabilities"]
    except Exception as error:  # onnxruntime has no narrower one
        if "Unsupported model IR version" not in str(error):
            raise
        pytest.skip("this onnxruntime is older than the opset")
    assert_allclose(found, model.predict_proba(rows), **CLOSE)


def test_a_graph_works_on_any_number_of_rows(untrained):
    model = untrained(regressor(), X, Y)
    graph = to_onnx(model, outputs=["prediction", "interval"])
    for n in (0, 1, 7):
        found = run(graph, Q[:n])
        assert {len(values) for values in found.values()} == {n}
    assert feeds(graph, Q[:1])["far"].dtype == np.float64


def test_a_head_of_ones_own_is_refused(untrained):
    model = untrained(regressor(model=no_head), X, Y)
    with pytest.raises(TypeError, match="head of its own .*model_.export"):
        to_onnx(model)

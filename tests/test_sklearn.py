"""EmbeddingRegressor as a citizen of scikit-learn."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skembed import EmbeddingRegressor

# The defaults are checked as they train. What a parameter changes in the contract with
# scikit-learn does not depend on how long they do.
SHORT = {"embedding_dim": 2, "hidden_layer_sizes": (8,), "epochs": 30}
CONFIGURATIONS = [
    EmbeddingRegressor(),
    EmbeddingRegressor(**SHORT, categorical_features="all"),
    EmbeddingRegressor(**SHORT, categorical_features=[0]),
    EmbeddingRegressor(prior=None),
    EmbeddingRegressor(**SHORT, prior=None, categorical_features="all"),
]


@parametrize_with_checks(CONFIGURATIONS)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module", name="frame")
def named_table():
    rng = np.random.default_rng(0)
    n = 240
    X = pd.DataFrame(
        {
            "shop": rng.choice(list("abcdefgh"), n),
            "day": rng.integers(0, 7, n),
            "size": rng.normal(size=n),
        }
    )
    effect = dict(zip("abcdefgh", np.linspace(-6, 6, 8), strict=True))
    y = X["shop"].map(effect) + 2 * X["size"] + rng.normal(0, 0.5, n)
    return X, y


@pytest.fixture(name="model")
def small_model():
    return EmbeddingRegressor(
        2, (8,), epochs=15, batch_size=32, learning_rate=0.02, random_state=0
    )


def test_kind_and_tags(model):
    tags = sklearn.utils.get_tags(model)
    assert is_regressor(model)
    assert tags.input_tags.categorical
    assert tags.input_tags.string
    assert tags.input_tags.allow_nan
    assert tags.target_tags.multi_output


def test_pipeline_and_column_transformer(model, frame):
    X, y = frame
    columns = ColumnTransformer(
        [("scaled", StandardScaler(), ["size"])],
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    pipeline = make_pipeline(columns, model).fit(X, y)
    assert pipeline.score(X, y) > 0.8
    assert pipeline[-1].feature_names_in_.tolist() == ["size", "shop", "day"]
    assert pipeline[-1].is_categorical_.tolist() == [False, True, True]


def test_cross_validation(model, frame):
    scores = cross_val_score(model, *frame, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.7
    assert cross_val_predict(model, *frame, cv=2).shape == (240,)


def test_grid_search_in_two_processes(model, frame):
    grid = {"embedding_dim": [1, 2], "learning_rate": [1e-5, 0.02]}
    search = GridSearchCV(model, grid, cv=2, n_jobs=2).fit(*frame)
    assert search.best_params_["learning_rate"] == 0.02
    assert search.best_estimator_.embeddings_[0].shape[0] == 8
    again = clone(model).set_params(**search.best_params_).fit(*frame)
    np.testing.assert_array_equal(
        again.embeddings_[0], search.best_estimator_.embeddings_[0]
    )


def test_transformed_target(model, frame):
    X, y = frame
    whole = TransformedTargetRegressor(model, func=np.arcsinh, inverse_func=np.sinh)
    assert whole.fit(X, y).score(X, y) > 0.6
    assert whole.regressor_.embeddings_[0].shape == (8, 2)


def test_permutation_importance(model, frame):
    X, y = frame
    found = permutation_importance(model.fit(X, y), X, y, n_repeats=2, random_state=0)
    shop, day, size = found.importances_mean
    assert shop > size > day


@pytest.mark.parametrize(
    "again",
    [
        copy.deepcopy,
        lambda model: pickle.loads(pickle.dumps(model)),
        "joblib",
        lambda model: clone(FrozenEstimator(copy.deepcopy(model))).estimator,
    ],
    ids=["copy", "pickle", "joblib", "frozen"],
)
def test_fitted_estimators_survive(again, model, frame, tmp_path):
    X, y = frame
    model.fit(X, y)
    if again == "joblib":
        joblib.dump(model, tmp_path / "model.joblib")
        other = joblib.load(tmp_path / "model.joblib")
    else:
        other = again(model)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    np.testing.assert_array_equal(other.embeddings_[0], model.embeddings_[0])
    assert other.loss_curve_ == model.loss_curve_
    other.partial_fit(X[:20], y[:20])
    assert other is not model
    assert other.n_iter_ > model.n_iter_


def test_html_diagram(model, frame):
    assert "<span>Not fitted</span>" in model._repr_html_()
    assert "<span>Fitted</span>" in model.fit(*frame)._repr_html_()
    assert repr(EmbeddingRegressor()) == "EmbeddingRegressor()"


def test_weights_are_routed(model, frame):
    X, y = frame
    weights = np.zeros(len(y))
    weights[::2] = 1.0
    half = clone(model).fit(X[::2], y[::2])
    with sklearn.config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True)
        pipeline = make_pipeline(FunctionTransformer(), model)
        pipeline.fit(X, y, sample_weight=weights)
        np.testing.assert_array_equal(pipeline[-1].embeddings_[0], half.embeddings_[0])
        found = cross_validate(
            model.set_score_request(sample_weight=True),
            X,
            y,
            cv=2,
            params={"sample_weight": weights},
            return_estimator=True,
        )
    assert [e.category_counts_[0].sum() for e in found["estimator"]] == [60.0, 60.0]


def test_progress_bar_of_scikit_learn(model, frame, capsys):
    plain = clone(model).fit(*frame)
    model.set_callbacks(ProgressBar()).fit(*frame)
    np.testing.assert_array_equal(plain.embeddings_[0], model.embeddings_[0])
    assert "EmbeddingRegressor" in capsys.readouterr().out


@pytest.mark.filterwarnings("error")
def test_scoring_monitor_of_scikit_learn(model, frame):
    X, y = frame
    monitor = ScoringMonitor(scoring="r2")
    weights = np.arange(len(y)) % 3
    model.set_callbacks(monitor).fit(X, y, sample_weight=weights)
    scores = [row["r2"] for row in monitor.get_logs().data if row.get("r2") is not None]
    assert len(scores) == model.n_iter_
    assert scores[0] < scores[-1]
    np.testing.assert_allclose(scores[-1], model.score(X, y, weights), rtol=1e-6)


def test_callbacks_in_a_search(model, frame, capsys):
    search = GridSearchCV(model.set_params(epochs=2), {"embedding_dim": [1, 2]}, cv=2)
    plain = clone(search).fit(*frame).cv_results_["mean_test_score"]
    search.set_callbacks(ProgressBar()).fit(*frame)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], plain)
    assert "GridSearchCV" in capsys.readouterr().out

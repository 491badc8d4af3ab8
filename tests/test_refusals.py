"""What EmbeddingRegressor refuses, and what a broken fit leaves behind."""

import pickle
import warnings

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skembed import EmbeddingClassifier, EmbeddingRegressor


class Interrupt(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("method", ["fit", "partial_fit", "fold_in"])
def test_what_is_broken_off_leaves_the_estimator_as_it_was(method, mixed, quick):
    X, y = mixed
    fresh = quick(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(X, y)
    assert [name for name in vars(fresh) if name.endswith("_")] == []
    with pytest.raises(NotFittedError):
        fresh.predict(X)

    model = quick().fit(X, y)
    before, known = model.predict(X), dict(vars(model))
    model.set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(X[:50], y[:50] + 9.0)
    np.testing.assert_array_equal(model.predict(X), before)
    assert vars(model).keys() == known.keys()
    assert model.loss_curve_ == known["loss_curve_"]


X0 = np.array([["a", 1.0], ["b", 2.0], ["a", 3.0]], dtype=object)
Y0 = np.array([1.0, 2.0, 3.0])
BAD_DATA = {
    "no rows": ((X0[:0], Y0[:0]), "0 sample"),
    "no columns": ((X0[:, :0], Y0), "0 feature"),
    "nan in y": ((X0, [1.0, np.nan, 2.0]), "NaN"),
    "infinity in y": ((X0, [1.0, np.inf, 2.0]), "[Ii]nf"),
    "no y": ((X0, None), "requires y to be passed"),
    "text in y": ((X0, ["a", "b", "c"]), "could not convert|dtype"),
    "y too short": ((X0, Y0[:2]), "inconsistent"),
    "weights too short": ((X0, Y0, [1.0, 2.0]), "inconsistent|sample_weight"),
    "weights all zero": ((X0, Y0, [0.0, 0.0, 0.0]), "zero"),
    "a negative weight": ((X0, Y0, [1.0, -1.0, 1.0]), "[Nn]egative"),
    "nan in weights": ((X0, Y0, [1.0, np.nan, 1.0]), "NaN"),
    "complex": ((np.ones((3, 2)) * 1j, Y0), "[Cc]omplex"),
    "three dimensions": ((np.ones((3, 2, 2)), Y0), "dim 3"),
    "one dimension": ((np.ones(3), Y0), "1D"),
    "infinity in a number": (
        (np.array([[0.0, np.inf], [0.0, 1.0], [1.0, 2.0]]), Y0),
        "infinity",
    ),
}


@pytest.fixture(scope="module")
def fitted_small():
    return EmbeddingRegressor(2, (3,), epochs=2, random_state=0).fit(X0, Y0)


def check_refused(model, args, error, message):
    before, known = model.predict(X0), dict(vars(model))
    with pytest.raises(error, match=message):
        model.fit(*args)
    assert vars(model).keys() == known.keys()
    np.testing.assert_array_equal(model.predict(X0), before)


@pytest.mark.parametrize("case", BAD_DATA)
def test_bad_data_is_refused_and_leaves_the_estimator(case, fitted_small):
    args, message = BAD_DATA[case]
    check_refused(pickle.loads(pickle.dumps(fitted_small)), args, ValueError, message)
    if len(args) == 2 and args[1] is Y0:
        with pytest.raises(ValueError, match=message):
            fitted_small.predict(args[0])


def test_sparse_matrices_are_refused(fitted_small):
    with pytest.raises(TypeError, match="[Ss]parse"):
        fitted_small.predict(sparse.eye(3).tocsr())
    with pytest.raises(TypeError, match="[Ss]parse"):
        EmbeddingRegressor().fit(sparse.eye(3).tocsr(), Y0)


BAD_PARAMETERS = {
    "embedding_dim": [0, -1, 2.5, "wide"],
    "hidden_layer_sizes": [0, (4, 0), "deep"],
    "activation": ["nope", ("relu",) * 5],
    "optimizer": ["nope", "lion", keras.optimizers.Adam(amsgrad=True)],
    "loss": ["nope", "mse"],
    "quantile": [0.5, 2.0],
    "prior": ["cauchy"],
    "learning_rate": [0.0, -1.0, "fast"],
    "batch_size": [0, 1.5],
    "epochs": [0],
    "tol": [-1.0],
    "validation_fraction": [0.0, 1.0],
    "min_frequency": [0, 1.5],
    "max_categories": [0],
    "handle_unknown": ["ignore"],
    "model": ["keras"],
    "categorical_features": [[7], ["nope"], [True], [0.5]],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_PARAMETERS.items() for value in values],
)
def test_bad_parameters_are_refused_by_name(name, value, fitted_small):
    model = pickle.loads(pickle.dumps(fitted_small)).set_params(**{name: value})
    check_refused(model, (X0, Y0), (ValueError, TypeError), name)


def test_a_quantile_loss_needs_a_quantile(fitted_small):
    model = pickle.loads(pickle.dumps(fitted_small)).set_params(loss="quantile")
    check_refused(model, (X0, Y0), ValueError, "needs quantile")


def test_text_in_a_numeric_column_of_new_rows_is_refused(fitted_small):
    with pytest.raises(ValueError, match="'much' in row 0 of the numeric column"):
        fitted_small.predict(np.array([["a", "much"]], dtype=object))


def test_losses_refuse_outcomes_they_cannot_have(fitted_small):
    for loss in ("poisson", "gamma"):
        model = pickle.loads(pickle.dumps(fitted_small)).set_params(loss=loss)
        check_refused(model, (X0, [-1.0, 2.0, 3.0]), ValueError, "negative")


def test_partial_fit_refuses_another_number_of_outputs(fitted_small):
    model = pickle.loads(pickle.dumps(fitted_small))
    with pytest.raises(ValueError, match="2 outputs"):
        model.partial_fit(X0, np.ones((3, 2)))
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X0[:, :1], Y0)


def test_before_fit_nothing_is_there():
    model = EmbeddingRegressor()
    with pytest.raises(NotFittedError):
        model.predict(X0)
    for name in ("embedding_", "embeddings_", "categories_", "model_", "n_iter_"):
        assert not hasattr(model, name)


@pytest.mark.parametrize("kind", [str, float])
@pytest.mark.parametrize("n", [1, 2, 20])
def test_tiny_tables(n, kind):
    X = np.arange(n)[:, None].astype(kind)
    y = np.arange(float(n))
    model = EmbeddingRegressor(random_state=0).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert np.isfinite(model.predict_std(X)).all()


@pytest.mark.parametrize("prior", ["normal", None])
def test_outcomes_that_are_all_the_same(prior):
    X = np.array(list("abab"))[:, None]
    # A bare network has to travel to 7 at Keras's rates.
    bare = {} if prior else {"learning_rate": 0.05, "epochs": 200}
    model = EmbeddingRegressor(2, (4,), prior=prior, random_state=0, **bare)
    predicted = model.fit(X, np.full(4, 7.0)).predict(X)
    np.testing.assert_allclose(predicted, 7.0, atol=0.1)


@pytest.mark.parametrize("factor", [1e6, 1e-6])
def test_a_bare_network_warns_of_outcomes_that_it_cannot_learn(factor):
    X, y = np.array(list("abab"))[:, None], np.array([1.0, 2.0, 1.0, 2.0])
    model = EmbeddingRegressor(2, (4,), prior=None, epochs=1)
    with pytest.warns(UserWarning, match="y is not scaled; its root mean square"):
        model.fit(X, factor * y)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(X, y)
        model.set_params(prior="normal").fit(X, factor * y)


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_each_output_is_checked_on_its_own(loss):
    y = np.stack([np.ones(3), np.zeros(3)], axis=1)
    with pytest.raises(ValueError, match="All values of Output 1 of y are 0"):
        EmbeddingRegressor(loss=loss).fit(X0, y)


@pytest.mark.parametrize("make", [EmbeddingRegressor, EmbeddingClassifier])
@pytest.mark.parametrize("missing", [None, pd.NA, float("nan")])
def test_a_missing_outcome_is_named_by_its_row(make, missing):
    y = pd.Series(["1", "2", missing], dtype=object)
    with pytest.raises(ValueError, match="missing value in row 2"):
        make().fit(X0, y)


def test_outcomes_whose_squares_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="y holds values up to 3e.300"):
        EmbeddingRegressor().fit(X0, Y0 * 1e300)


@pytest.mark.parametrize(
    "y",
    [
        [1.0, 2.0, np.nan, 4.0],
        pd.Series([1, 2, None, 4], dtype="Int64"),
        np.array([[1.0, 2.0], [3.0, 4.0], [5.0, np.nan], [7.0, 8.0]]),
    ],
    ids=["floats", "nullable", "two outputs"],
)
def test_a_missing_number_in_y_is_named_by_its_row(y):
    with pytest.raises(ValueError, match=r"missing value in row 2 \(1 in all\)"):
        EmbeddingRegressor().fit([["a"]] * 4, y)

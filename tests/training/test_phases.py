"""A fit as a list of phases: the additive part first."""

import numpy as np
import pytest
from heads import small_head

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed._training import phases as phases_module
from skembed._training.parts import FirstOrder


class Asked(EmbeddingRegressor):
    """A regressor that keeps the phases of its fit."""

    def _phases(self, *args):
        phases, calibration = super()._phases(*args)
        type(self).phases = phases
        return phases, calibration


def phases_of(X, y, **params):
    Asked(**{"random_state": 0, **params}).fit(X, y)
    return Asked.phases


def test_the_additive_part_has_epochs_of_its_own(mixed):
    X, y = mixed
    first, main = phases_of(X, y, epochs=10)
    assert first.part == FirstOrder(layers_follow=True) and main.part is None
    assert not first.part.problem(first.problem).architecture.has_layers
    model = EmbeddingRegressor(epochs=10, random_state=0).fit(X, y)
    assert model.n_iter_ == 10
    assert EmbeddingRegressor(epochs=1, random_state=0).fit(X, y).n_iter_ == 1


def test_the_additive_part_leaves_the_layers_as_they_are(mixed, monkeypatch):
    X, y = mixed
    whole = phases_module.additive_first
    monkeypatch.setattr("skembed._base.additive_first", lambda *args: whole(*args)[:1])
    start = EmbeddingRegressor(epochs=4, random_state=0).fit(X, y)
    longer = EmbeddingRegressor(epochs=40, random_state=0).fit(X, y)
    for model in (start, longer):
        dense = model._fitted.weights.dense
        assert (dense["kernel_2"] == 0).all() and (dense["bias_1"] == 0).all()
    same = [model._fitted.weights.dense["kernel_0"] for model in (start, longer)]
    np.testing.assert_array_equal(*same)
    moved = [model._fitted.weights.table.mean for model in (start, longer)]
    assert (moved[0][:, 0] != moved[1][:, 0]).any()
    np.testing.assert_array_equal(moved[0][:, 1:], moved[1][:, 1:])


@pytest.mark.parametrize(
    "params", [{"prior": None}, {"model": small_head}, {"epochs": 1}]
)
def test_some_fits_are_one_phase(params, mixed):
    X, y = mixed
    (phase,) = phases_of(X, y, **{"epochs": 3, **params})
    assert phase.part is None


def test_one_column_is_its_first_order_term():
    rng = np.random.default_rng(0)
    token = rng.integers(0, 20, (400, 1))
    y = rng.normal(size=20)[token[:, 0]] + rng.normal(size=400)
    (phase,) = phases_of(token, y, categorical_features=[0])
    assert phase.part == FirstOrder(layers_follow=False)
    model = EmbeddingRegressor(categorical_features=[0], random_state=0).fit(token, y)
    assert (model.embedding_[:, 1:] == 0.0).all()


def test_held_out_rows_stop_the_fit_only_once_the_layers_have_begun(mixed):
    X, y = mixed
    rng = np.random.default_rng(0)
    model = EmbeddingRegressor(
        epochs=60, early_stopping=True, n_iter_no_change=2, tol=10.0, random_state=0
    ).fit(X, rng.permutation(y))
    # A fall of 10 never comes: without the 18 epochs of the additive part it would
    # have ended after 3.
    assert model.n_iter_ == 18 + 3
    assert len(model.validation_loss_curve_) == model.n_iter_


def test_held_out_rows_stop_the_fit_of_one_column():
    token = np.random.default_rng(0).integers(0, 20, (400, 1))
    y = np.random.default_rng(1).normal(size=400)
    model = EmbeddingRegressor(
        epochs=60, early_stopping=True, n_iter_no_change=2, tol=10.0, random_state=0
    )
    model.set_params(categorical_features=[0]).fit(token, y)
    assert model.n_iter_ == 3


def test_a_fit_that_is_stopped_in_the_additive_part_keeps_its_effects(mixed):
    import keras

    class StopBefore(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 17

    X, y = mixed
    params = {"epochs": 60, "random_state": 0}
    stopped = EmbeddingRegressor(callbacks=[StopBefore()], **params).fit(X, y)
    assert stopped.n_iter_ == 18
    assert stopped.score(X, y) > 0.9  # half of the effects explain less than 0.8


def test_a_callback_that_stops_ends_the_whole_fit(mixed):
    import keras

    class StopAtOnce(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    X, y = mixed
    y = (y > np.median(y)).astype(int)
    model = EmbeddingClassifier(epochs=20, callbacks=[StopAtOnce()], random_state=0)
    assert model.fit(X, y).n_iter_ == 1

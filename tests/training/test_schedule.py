"""When training stops, and how large its steps are."""

import keras
import numpy as np
from comparisons import equal_fits

from skembed import EmbeddingRegressor


def test_tol_stops_training_early_and_none_does_not(with_gaps):
    X, y = with_gaps
    params = {"prior": None, "batch_size": 8, "epochs": 30, "n_iter_no_change": 3}
    assert EmbeddingRegressor(2, (4,), tol=1e9, **params).fit(X, y).n_iter_ < 30
    assert EmbeddingRegressor(2, (4,), tol=None, **params).fit(X, y).n_iter_ == 30


def test_early_stopping_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 100, (300, 1)), rng.normal(size=300)
    model = EmbeddingRegressor(
        8,
        (32,),
        prior=None,
        learning_rate=0.03,
        batch_size=32,
        epochs=80,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=4,
        random_state=0,
    )
    model.fit(X, y)
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ == len(model.loss_curve_) < 80
    assert np.argmin(curve) == len(curve) - 5
    learned, held_out = model._read(X, y, None).split(0.3, model._generator())
    assert len(held_out.y) == 90
    assert sorted([*learned.y, *held_out.y]) == sorted(y)
    error = np.square(held_out.y - model.predict(held_out.table)).mean()
    np.testing.assert_allclose(error, min(curve), rtol=0.1)
    assert not hasattr(EmbeddingRegressor(epochs=1).fit(X, y), "validation_loss_curve_")


def test_learning_rate_schedules(mixed, quick):
    X, y = mixed
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    by_schedule = quick(learning_rate=schedule, prior=None).fit(X, y)
    by_optimizer = quick(optimizer=keras.optimizers.Adam(schedule), prior=None)
    equal_fits(by_schedule, by_optimizer.fit(X, y))
    constant = quick(learning_rate=1e-2, prior=None).fit(X, y)
    assert constant.loss_curve_ != by_schedule.loss_curve_

"""When training stops, and how large its steps are."""

import keras
import numpy as np
import pytest
from comparisons import equal_fits

from skembed import EmbeddingRegressor
from skembed._training.schedule import ALL_DRAWN, StopRule, WarmUp


def test_tol_stops_training_early_and_none_does_not(mixed):
    X, y = mixed
    params = {"prior": None, "batch_size": 8, "epochs": 30, "n_iter_no_change": 3}
    assert EmbeddingRegressor(2, (4,), tol=1e9, **params).fit(X, y).n_iter_ < 10
    assert EmbeddingRegressor(2, (4,), tol=None, **params).fit(X, y).n_iter_ == 30


def test_the_rule_waits_for_its_patience():
    rule = StopRule(tol=0.1, patience=3)
    assert not rule([5.0, 4.95, 4.95])
    assert rule([5.0, 4.95, 4.95, 4.95])
    assert not rule([5.0, 4.95, 4.95, 4.8])
    assert not StopRule(tol=None, patience=3)([5.0] * 9)


def test_the_noise_of_few_rows_rises_more_slowly_and_to_the_same_end():
    places = np.linspace(0.0, 1.0, 21)
    few, many = (WarmUp.of(2, n).drawn(places) for n in (1e4, 1e8))
    assert few[0] == many[0] == 0.0 and (few[6:] == 1.0).all() and (many[6:] == 1).all()
    np.testing.assert_allclose(many[:7], np.linspace(0.0, 1.0, 7), atol=1e-3)
    np.testing.assert_allclose(few[:7], np.linspace(0.0, 1.0, 7) ** 1.5)
    assert WarmUp.of(1, 1e4) == ALL_DRAWN
    assert (ALL_DRAWN.drawn(places) == 1.0).all()


def test_an_interaction_that_is_weaker_than_others_is_found_too():
    rng = np.random.default_rng(1)
    n, n_tokens = 10_000, 250
    effects, factors = rng.normal(size=(2, n_tokens)), rng.normal(size=(2, n_tokens, 3))
    factors[0] *= [1.2, 1.0, 0.8]
    X = rng.integers(0, n_tokens, (2 * n, 2))
    (i, j), ((a, b), (u, v)) = X.T, (effects, factors)
    truth = a[i] + b[j] + (u[i] * v[j]).sum(axis=1)
    y = truth + rng.normal(size=2 * n)
    model = EmbeddingRegressor(categorical_features=[0, 1], random_state=0)
    error = np.mean((model.fit(X[:n], y[:n]).predict(X[n:]) - truth[n:]) ** 2)
    # The variance of the weakest of the three is 0.64; of all together, 3.1.
    assert error < 0.45


class Weights(keras.callbacks.Callback):
    """Keeps the weights of every epoch, in a list that copies of it share."""

    def __init__(self):
        super().__init__()
        self.of_epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.of_epochs.append(self.model.get_weights())


def test_early_stopping_keeps_the_best_weights():
    rng, weights = np.random.default_rng(0), Weights()
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
        callbacks=[weights],
    )
    model.fit(X, y)
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ == len(model.loss_curve_) < 80
    best = np.argmin(curve)
    assert best == len(curve) - 5
    (kept, *head), (table, *head_of_best) = (
        model.model_.get_weights(),
        weights.of_epochs[best],
    )
    # The last vector is that of unknown tokens, which is set after training.
    np.testing.assert_array_equal(kept[:-1], table[:-1])
    for found, of_best in zip(head, head_of_best, strict=True):
        np.testing.assert_array_equal(found, of_best)
    # 30 % of the rows teach nothing, not even which tokens there are.
    assert model.category_counts_[0].sum() == 210
    assert not hasattr(EmbeddingRegressor(epochs=1).fit(X, y), "validation_loss_curve_")


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_the_loss_of_rows_held_out_has_the_noise_that_fits_them(loss):
    """Once layers know rows by heart, the learned noise is too small for others."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 12, (900, 3))
    y = 5.0 * (rng.normal(size=12)[X[:, 0]] + rng.normal(size=900))
    params = {"loss": loss, "epochs": 40, "n_iter_no_change": 40, "random_state": 0}
    model = EmbeddingRegressor(
        early_stopping=True, validation_rows="last", validation_fraction=1 / 3, **params
    ).fit(X, y)
    error = y[600:] - model.predict(X[600:])
    expected = {
        "squared_error": 0.5 * np.log(2 * np.pi * np.e * np.mean(np.square(error))),
        "absolute_error": np.log(2 * np.e * np.mean(np.abs(error))),
    }
    curve = model.validation_loss_curve_
    assert min(curve) == pytest.approx(expected[loss], abs=1e-4)


def test_rows_held_out_without_noise_have_a_finite_loss():
    X = np.arange(400)[:, None] % 5
    y = np.column_stack([X[:, 0], np.zeros(400)])
    model = EmbeddingRegressor(early_stopping=True, epochs=60, random_state=0)
    curve = model.fit(X.astype(str), y).validation_loss_curve_
    assert np.isfinite(curve).all() and curve[-1] < curve[0]


def test_learning_rate_schedules(mixed, quick):
    X, y = mixed
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    by_schedule = quick(learning_rate=schedule, prior=None).fit(X, y)
    by_optimizer = quick(optimizer=keras.optimizers.Adam(schedule), prior=None)
    equal_fits(by_schedule, by_optimizer.fit(X, y))
    constant = quick(learning_rate=1e-2, prior=None).fit(X, y)
    assert constant.loss_curve_ != by_schedule.loss_curve_


def test_early_stopping_needs_rows_on_both_sides(mixed, quick):
    X, y = mixed
    with pytest.raises(
        ValueError, match="leaves 0 of 3 rows to stop by and 3 to learn"
    ):
        quick(early_stopping=True).fit(X[:3], y[:3])

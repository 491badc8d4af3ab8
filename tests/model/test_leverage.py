"""What a row gives to its own prediction, against fits without the row."""

import numpy as np
from numpy.testing import assert_allclose

from skembed import EmbeddingRegressor, _settings
from skembed._data.encoded import Encoded
from skembed._model.leverage import is_seen_at_once, joint_leverage
from skembed._model.network import Weights, weight_precision
from skembed._model.prior import N_WAVES, Field


def features(fitted, rows):
    """One column for every weight of an additive network, and their precisions."""
    at = rows.codes + fitted.offsets
    prior, dense = fitted.prior.all_rows, fitted.weights.dense
    of_table = np.zeros((len(at), len(prior.mean)))
    of_table[np.arange(len(at))[:, None], at] = 1.0
    blocks, precisions = [of_table], [prior.precision[:, 0]]
    for k, first in enumerate(fitted.offsets):
        if first >= fitted.curves.start:
            blocks.append(fitted.curves.basis[at[:, k] - fitted.curves.start])
            wave = np.arange(1, N_WAVES + 1.0)
            precisions.append(
                np.square(wave) * np.exp(-2 * dense["prior"][k, 0, Field.LOG_CURVE])
            )
    blocks += [rows.numbers, np.ones((len(at), 1))]
    linear = dense["linear"].shape
    knots = fitted.predictor.knots
    precisions += [
        weight_precision("linear", linear, len(at), knots, 1)[:, 0],
        np.array([1.0 / _settings.FREE_VARIANCE]),
    ]
    return np.concatenate(blocks, axis=1), np.concatenate(precisions)


def additive(seed, n=120):
    """A fit whose layers put out nothing, and its rows."""
    rng = np.random.default_rng(seed)
    tokens, numbers = rng.integers(0, 25, (n, 2)), rng.normal(size=(n, 1))
    y = rng.normal(size=25)[tokens[:, 0]] + numbers[:, 0] + rng.normal(size=n)
    X = np.concatenate([tokens.astype(str).astype(object), numbers], axis=1)
    model = EmbeddingRegressor(1, 4, categorical_features=[0, 1], epochs=30)
    model.set_params(random_state=0).fit(X, y)
    fitted = model._fitted
    dense = dict(fitted.weights.dense)
    for i in range(2):  # neither an output nor a slope
        dense[f"kernel_{i}"] = np.zeros_like(dense[f"kernel_{i}"])
        dense[f"bias_{i}"] = np.zeros_like(dense[f"bias_{i}"])
    weights = Weights(fitted.weights.table, dense)
    return fitted.with_weights(weights), model._observed(X, y, None)


def test_residuals_without_their_row_are_those_of_fits_without_it():
    fitted, rows = additive(0)
    X, precision = features(fitted, rows)
    y, noise = rows.outcome[:, 0], 0.7

    def fit(rows):
        return np.linalg.solve(
            X[rows].T @ X[rows] / noise + np.diag(precision),
            X[rows].T @ y[rows] / noise,
        )

    n = len(y)
    residual = y - X @ fit(np.arange(n))
    leverage = joint_leverage(
        fitted, Encoded(rows.codes, rows.numbers), np.ones(n), np.full((n, 1), noise)
    )[:, 0]
    inside = leverage < _settings.MAX_LEVERAGE
    assert inside.mean() > 0.9
    without = [y[i] - X[i] @ fit(np.delete(np.arange(n), i)) for i in range(n)]
    assert_allclose(
        (residual / (1 - leverage))[inside], np.array(without)[inside], rtol=1e-4
    )


def test_of_copies_one_is_left_out():
    fitted, rows = additive(1)
    encoded, n = Encoded(rows.codes, rows.numbers), len(rows.codes)
    noise = np.full((n, 1), 0.7)
    weighted = joint_leverage(fitted, encoded, np.full(n, 2.0), noise)
    twice = Encoded(rows.codes.repeat(2, 0), rows.numbers.repeat(2, 0))
    copied = joint_leverage(fitted, twice, np.ones(2 * n), noise.repeat(2, 0))
    assert_allclose(weighted, copied[::2], rtol=1e-6)
    # A copy stays behind, so one of two has less to say than one alone.
    assert (weighted < joint_leverage(fitted, encoded, np.ones(n), noise)).all()


def test_layers_have_their_say():
    fitted, rows = additive(2)
    encoded, n = Encoded(rows.codes, rows.numbers), len(rows.codes)
    noise = np.full((n, 1), 0.7)
    without = joint_leverage(fitted, encoded, np.ones(n), noise)
    dense = dict(fitted.weights.dense)
    rng = np.random.default_rng(0)
    for name in ("kernel_0", "kernel_1"):
        dense[name] = rng.normal(size=dense[name].shape).astype(np.float32)
    layered = fitted.with_weights(Weights(fitted.weights.table, dense))
    found = joint_leverage(layered, encoded, np.ones(n), noise)
    assert found.mean() > without.mean()
    assert (found >= 0).all() and (found <= _settings.MAX_LEVERAGE).all()


def test_rows_that_differ_in_their_outcomes_only_are_looked_at_once():
    fitted, rows = additive(3)
    encoded, n = Encoded(rows.codes, rows.numbers), len(rows.codes)
    many = encoded.rows(np.arange(n).repeat(60))  # too many, were they all different
    assert len(many.codes) > 3 * _settings.JOINT_ROWS
    assert is_seen_at_once(fitted, many)
    noise = np.full((len(many.codes), 1), 0.7)
    found = joint_leverage(fitted, many, np.ones(len(many.codes)), noise)
    once = joint_leverage(fitted, encoded, np.full(n, 60.0), noise[:n])
    assert_allclose(found, once.repeat(60, 0))
    apart = Encoded(many.codes, np.arange(len(many.codes))[:, None] * 1e-4)
    assert not is_seen_at_once(fitted, apart)

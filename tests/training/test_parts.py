"""Parts of a network that are trained on their own."""

import numpy as np
import pytest

from skembed import EmbeddingClassifier, EmbeddingRegressor
from skembed import _settings as settings
from skembed._model.network import outputs
from skembed._training import idle
from skembed._training.parts import FirstOrder, Whole
from skembed._training.problem import problem_of
from skembed._training.rows import rows_for

N_NUMBERS, READ = 9, 3


def wide_table(n=400, seed=0, n_numbers=N_NUMBERS):
    """Two columns of tokens, and numbers of which the first two have an effect."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(0, 8, (n, 2))
    numbers = rng.normal(size=(n, n_numbers))
    numbers[::7, 4] = np.nan
    f = np.sin(2 * numbers[:, 0]) + np.abs(numbers[:, 1]) + 0.3 * tokens[:, 0]
    X = np.concatenate([tokens, numbers], axis=1)
    return X, f + 0.3 * rng.normal(size=n)


PARAMS = {"categorical_features": [0, 1], "epochs": 8, "random_state": 0}
KINDS = {
    "one output": (EmbeddingRegressor, PARAMS),
    "three classes": (EmbeddingClassifier, PARAMS),
    "blended": (EmbeddingRegressor, PARAMS | {"varying_slopes": {0: [2]}}),
}


@pytest.fixture
def few_read(monkeypatch):
    """Layers that read so few numbers that the tables of the tests are wide."""
    monkeypatch.setattr(settings, "MOST_READ", READ)


def fitted_of(kind, X, y):
    """A fitted network, and the problem of its rows."""
    estimator, params = KINDS[kind]
    if estimator is EmbeddingClassifier:
        y = np.digitize(y, np.quantile(y, [1 / 3, 2 / 3]))
    model = estimator(**params).fit(X, y)
    fitted, rows = model._fitted, model._observed(X, y, None)
    return model, fitted, problem_of(fitted, rows_for(fitted, rows))


def outputs_of(problem, weights):
    """What a network puts out for the rows of a problem, without their offset."""
    rows, mask = problem.rows, problem.mask
    vectors = weights.table.mean[rows.codes].astype(float)
    if rows.blend is None:
        vectors *= mask
    else:
        factors, slots = rows.blend
        vectors *= factors[:, :, None] * mask[slots.block]
        vectors = slots.added_up(vectors)
    shape, knots = problem.architecture, problem.knots
    return outputs(shape, weights, vectors, rows.numbers, knots)


def outputs_of_part(part, problem, weights):
    """What the part of a network puts out for its own rows, offset included."""
    own, weights = part.problem(problem), part.weights(problem, weights)
    f, shift = outputs_of(own, weights), own.rows.offset
    if own.architecture.n_outputs > 1:
        shift = shift @ weights.dense["readout"]
    return f + shift


@pytest.mark.parametrize("kind", KINDS)
def test_idle_numbers_are_an_offset_of_each_row(kind, few_read):
    X, y = wide_table()
    _, fitted, problem = fitted_of(kind, X, y)
    part = idle.part_read(fitted, problem)
    assert part.blocks.sum() == N_NUMBERS - READ
    assert np.abs(part.problem(problem).rows.offset).max() > 1e-3
    expected = outputs_of(problem, fitted.weights)
    found = outputs_of_part(part, problem, fitted.weights)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_that_is_put_back_is_where_it_was(kind, few_read):
    X, y = wide_table()
    _, fitted, problem = fitted_of(kind, X, y)
    before = fitted.weights
    for part in (idle.part_read(fitted, problem), FirstOrder(True), Whole()):
        own = part.weights(problem, before)
        after = part.put_back(problem, before, own)
        np.testing.assert_array_equal(after.table.mean, before.table.mean)
        np.testing.assert_array_equal(after.table.precision, before.table.precision)
        assert list(after.dense) == list(before.dense)
        for name, value in before.dense.items():
            np.testing.assert_array_equal(after.dense[name], value)


def test_the_additive_part_alone_leaves_other_coordinates_at_their_prior():
    X, y = wide_table()
    _, fitted, problem = fitted_of("one output", X, y)
    part = FirstOrder(layers_follow=False)
    own = part.weights(problem, fitted.weights)
    assert own.table.mean.shape[1] == 1 and "kernel_0" not in own.dense
    after = part.put_back(problem, fitted.weights, own)
    assert (after.table.mean[:, 1:] == 0.0).all()
    assert (after.table.precision[:, 1:] == 1.0).all()
    np.testing.assert_array_equal(after.table.mean[:, 0], own.table.mean[:, 0])


def test_layers_read_the_numbers_with_the_largest_effects(few_read):
    X, y = wide_table()
    _, fitted, problem = fitted_of("one output", X, y)
    of_bins = idle.part_read(fitted, problem).blocks[fitted.encoder.n_token_blocks :]
    assert not of_bins[:2].any()
    kernel = fitted.weights.dense["kernel_0"]
    for is_idle, own in zip(of_bins, idle._inputs_of(fitted), strict=True):
        assert kernel[own].any() != is_idle


def test_a_table_that_is_not_wide_is_trained_whole():
    X, y = wide_table()
    _, fitted, problem = fitted_of("one output", X, y)
    assert idle.part_read(fitted, problem) == Whole()
    assert idle.narrowed(fitted, problem) is fitted


def test_a_chunk_leaves_idle_numbers_as_they_are(few_read, monkeypatch):
    X, y = wide_table()
    model, fitted, problem = fitted_of("one output", X, y)
    monkeypatch.setattr(settings, "REPLAY_ROWS", 100)
    model.partial_fit(X[:50], y[:50])
    rows = np.repeat(idle.part_read(fitted, problem).blocks, problem.sizes)
    after = model._fitted.weights
    np.testing.assert_array_equal(
        after.table.mean[rows], fitted.weights.table.mean[rows]
    )
    assert (after.table.mean[~rows] != fitted.weights.table.mean[~rows]).any()
    still = ~fitted.weights.dense["kernel_0"].any(axis=1)
    assert (after.dense["kernel_0"][still] == 0.0).all()


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_a_wide_table_without_hidden_layers_has_no_idle_numbers(hidden, few_read):
    X, y = wide_table()
    params = PARAMS | {"hidden_layer_sizes": hidden}
    model = EmbeddingRegressor(**params).fit(X, y)
    fitted = model._fitted
    problem = problem_of(fitted, rows_for(fitted, model._observed(X, y, None)))
    assert (idle.part_read(fitted, problem) == Whole()) == (hidden == ())


def test_a_wide_fit_finds_what_a_fit_of_the_few_finds(few_read):
    X, y = wide_table(1500)
    new, truth = wide_table(1500, seed=1)
    wide = EmbeddingRegressor(categorical_features=[0, 1], random_state=0).fit(X, y)
    few = EmbeddingRegressor(categorical_features=[0, 1], random_state=0)
    few.fit(X[:, :4], y)
    assert wide.score(new, truth) > few.score(new[:, :4], truth) - 0.01

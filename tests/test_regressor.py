"""What EmbeddingRegressor learns, and the shape of it."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor
from skembed.datasets import make_token_outcomes


@pytest.mark.parametrize("seed", range(20))
def test_the_first_experiment(seed, section_one):
    data = make_token_outcomes(return_X_y=False, random_state=seed)
    model = EmbeddingRegressor(**section_one, random_state=seed).fit(data.X, data.y)
    assert 150 < model.loss_curve_[0] < 220
    assert 3.7 < model.loss_curve_[-1] < 4.4
    assert model.n_iter_ == 100
    vectors, effects = model.embedding_, data.effects[0]
    assert vectors.shape == (5, 4)
    # From one token; its two neighbours are equally far in truth, if it has two.
    distance = np.linalg.norm(vectors - vectors[0], axis=1)
    gap = np.abs(effects - effects[0]).round(6)
    nearer = gap[:, None] < gap
    assert (distance[:, None] < distance)[nearer].all()
    np.testing.assert_allclose(model.predict(np.arange(5)[:, None]), effects, atol=0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_defaults_on_the_first_experiment(seed):
    data = make_token_outcomes(return_X_y=False, random_state=seed)
    model = EmbeddingRegressor(random_state=seed).fit(data.X, data.y)
    means = [data.y[data.X[:, 0] == t].mean() for t in range(5)]
    np.testing.assert_allclose(model.predict(np.arange(5)[:, None]), means, atol=0.1)
    np.testing.assert_allclose(model.noise_scale_, 2.0, rtol=0.03)


def test_one_length_per_column(mixed, quick):
    X, y = mixed
    for prior in ("normal", None):
        model = quick(embedding_dim=[2, 5], prior=prior).fit(X, y)
        assert [v.shape for v in model.embeddings_] == [(6, 2), (4, 5)]
        assert all(v.dtype == np.float32 for v in model.embeddings_)
    with pytest.raises(ValueError, match="2 here"):
        quick(embedding_dim=[2, 5, 1]).fit(X, y)
    with pytest.raises(ValueError, match="positive integer"):
        quick(embedding_dim=[2, 0]).fit(X, y)


def test_embedding_is_there_for_one_column_only(mixed, quick):
    X, y = mixed
    model = quick().fit(X, y)
    with pytest.raises(AttributeError, match="embeddings_"):
        _ = model.embedding_
    one = quick().fit(X[:, [0, 2]], y)
    np.testing.assert_array_equal(one.embedding_, one.embeddings_[0])
    assert one.embedding_std_.shape == one.embedding_.shape
    plain = quick(prior=None).fit(X, y)
    for name in ("embeddings_std_", "prior_scales_", "noise_scale_", "n_active_dims_"):
        assert hasattr(model, name)
        assert not hasattr(plain, name)
    with pytest.raises(AttributeError, match="prior"):
        plain.predict(X, return_std=True)


@pytest.mark.parametrize("prior", ["normal", None])
def test_several_outputs(prior):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (900, 1))
    effects = rng.normal(0, 3, (6, 2)) * [1.0, 10.0]
    y = effects[X[:, 0]] + rng.normal(0, [0.5, 5.0], (900, 2))
    model = EmbeddingRegressor(3, (16,), prior=prior, random_state=0)
    model.set_params(epochs=60, batch_size=64, learning_rate=0.02).fit(X, y)
    predicted = model.predict(np.arange(6)[:, None])
    means = np.array([y[X[:, 0] == t].mean(axis=0) for t in range(6)])
    assert (np.abs(predicted - means) < [0.4, 4.0]).all()
    assert model.score(X, y) > 0.9
    if prior:
        np.testing.assert_allclose(model.noise_scale_, [0.5, 5.0], rtol=0.15)
        assert model.predict_std(X).shape == (900, 2)
    one = EmbeddingRegressor(3, epochs=1).fit(X, y[:, [0]])
    assert one.predict(X).shape == (900, 1)

"""Unknown, missing and rare tokens, from a fit to its predictions."""

import numpy as np
import pytest

from skembed import EmbeddingRegressor


@pytest.fixture(scope="module")
def with_gaps():
    rng = np.random.default_rng(0)
    X = rng.choice(np.array(["a", "b", None, "r1", "r2"], object), 400)
    X[:4] = "r1", "r2", "r1", "r2"
    X[4:][np.isin(X[4:], ["r1", "r2"])] = "a"
    y = np.array([{"a": 5.0, "b": -5.0, None: 20.0}.get(t, -20.0) for t in X])
    return X[:, None], y + rng.normal(0, 0.1, 400)


@pytest.mark.parametrize("prior", ["normal", None])
def test_missing_is_a_token_of_its_own(prior, with_gaps):
    model = EmbeddingRegressor(
        2, (8,), prior=prior, epochs=150, batch_size=32, random_state=0
    )
    model.fit(*with_gaps)
    assert model.categories_[0].tolist() == ["a", "b", "r1", "r2", None]
    assert model.embedding_.shape == (5, 2)
    missing, nan, unknown, a = model.predict([[None], [np.nan], ["q"], ["a"]])
    np.testing.assert_allclose(missing, 20.0, atol=1.5)
    assert nan == missing
    assert abs(unknown - missing) > 3.0
    np.testing.assert_allclose(a, 5.0, atol=1.5)


@pytest.mark.parametrize("prior", ["normal", None])
def test_missing_that_fit_did_not_see_is_unknown(prior, quick):
    X, y = np.array(["a", "b", "a"], object)[:, None], np.array([1.0, 2.0, 3.0])
    model = quick(prior=prior).fit(X, y)
    missing, unknown = model.predict(np.array([[None], ["q"]], object))
    assert missing == unknown


def test_an_unknown_vector_is_zero_or_the_mean(with_gaps, quick):
    X, y = with_gaps
    model = quick().fit(X, y)
    code = model.model_inputs([["q"]])["codes"][0, 0]
    table = model.model_.get_layer("table_0").get_weights()[0]
    np.testing.assert_array_equal(table[code], 0.0)
    model = quick(prior=None).fit(X, y)
    table = model.model_.get_layer("table_0").get_weights()[0]
    mean = np.average(model.embedding_, axis=0, weights=model.category_counts_[0])
    np.testing.assert_allclose(table[code], mean, atol=1e-6)


def test_rare_tokens_share_a_vector_and_unknown_ones_may_join(with_gaps):
    X, y = with_gaps
    model = EmbeddingRegressor(2, (8,), min_frequency=3, random_state=0).fit(X, y)
    assert model.infrequent_categories_[0].tolist() == ["r1", "r2"]
    r1, r2 = model.embedding_[2:4]
    np.testing.assert_array_equal(r1, r2)
    rare, unknown, missing = model.predict([["r1"], ["q"], [None]])
    assert rare == unknown
    assert rare < -10 < missing
    model.set_params(handle_unknown="prior")
    assert model.predict([["q"]])[0] > rare


def test_unknown_tokens_can_be_an_error(with_gaps, quick):
    X, y = with_gaps
    model = quick(handle_unknown="error").fit(X, y)
    model.predict(X)
    with pytest.raises(ValueError, match=r"unknown tokens 'q' in column 0"):
        model.predict([["q"], ["a"]])
    with pytest.raises(ValueError, match="None"):
        quick(handle_unknown="error").fit([["a"], ["b"]], [1, 2]).predict([[None]])

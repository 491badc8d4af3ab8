"""Sample weights: k is k copies, shares are scaled, and none of them hangs."""

import time

import numpy as np
import pytest
from comparisons import equal_fits
from sklearn.ensemble import AdaBoostClassifier

from skembed import EmbeddingClassifier, EmbeddingRegressor, TokenSimilarity
from skembed._data.rows import merge
from skembed._settings import COUNTED_PER_ROW, COUNTED_ROWS


@pytest.fixture(scope="module", name="rows")
def six_tokens():
    rng = np.random.default_rng(0)
    token = rng.integers(0, 6, 300)
    y = np.linspace(-3, 3, 6)[token] + rng.normal(0, 0.2, 300)
    return token[:, None], y


def score(X, y, weights):
    return EmbeddingRegressor(random_state=0).fit(X, y, weights).score(X, y)


def test_weights_that_sum_to_one_are_shares(rows):
    X, y = rows
    plain = EmbeddingRegressor(random_state=0).fit(X, y)
    shares = EmbeddingRegressor(random_state=0).fit(X, y, np.full(300, 1 / 300))
    assert plain.score(X, y) > 0.95
    np.testing.assert_allclose(shares.predict(X), plain.predict(X), atol=0.05)
    np.testing.assert_allclose(shares.category_counts_[0].sum(), 300)


def test_small_weights_teach_little_and_say_so(rows):
    X, y = rows
    with pytest.warns(UserWarning, match="multiply them by 50, so that their mean is"):
        EmbeddingRegressor(epochs=1).fit(X, y, np.full(300, 0.02))


def test_weights_of_a_billion_take_no_more_steps_than_many_copies(rows):
    X, y = rows
    began = time.perf_counter()
    assert score(X, y, np.full(300, 1e9)) > 0.95
    assert time.perf_counter() - began < 60
    with pytest.raises(ValueError, match="sums to 3e.32 for 300 rows"):
        score(X, y, np.full(300, 1e30))


def test_steps_are_counted_by_weights_up_to_a_limit():
    def counted(n, weight):
        codes, numbers = np.arange(n)[:, None], np.zeros((n, 0))
        weights = np.full(n, float(weight))
        return merge(codes, numbers, np.zeros((n, 1)), weights, True).n_counted

    assert counted(10, 7) == 70
    assert counted(10, 1e9) == COUNTED_ROWS
    assert counted(200_000, 3) == 600_000
    assert counted(200_000, 1e3) == 200_000 * COUNTED_PER_ROW


def test_adaboost_of_classifiers_learns():
    rng = np.random.default_rng(0)
    token = rng.integers(0, 12, 400)
    y = np.where(rng.random(400) < 0.9, token % 3, rng.integers(0, 3, 400))
    model = EmbeddingClassifier(categorical_features="all", epochs=60, random_state=0)
    boosted = AdaBoostClassifier(model, n_estimators=3, random_state=0)
    assert boosted.fit(token[:, None], y).score(token[:, None], y) > 0.8


@pytest.mark.parametrize("model", [EmbeddingRegressor, TokenSimilarity])
def test_masked_weights_are_refused(model, rows):
    X, y = rows
    weights = np.ma.array(np.ones(300), mask=np.arange(300) == 7)
    with pytest.raises(ValueError, match="sample_weight is masked in row 7"):
        model().fit(X, y, weights)


@pytest.mark.parametrize("method", ["partial_fit", "fold_in"])
@pytest.mark.parametrize("n", [1, 4, 5])
def test_weights_of_a_chunk_are_no_shares(method, n, rows):
    model = EmbeddingRegressor(2, (4,), epochs=1, random_state=0).fit(*rows)
    before = model.category_counts_[0].sum()
    getattr(model, method)(rows[0][:n], rows[1][:n], np.full(n, 0.25))
    np.testing.assert_allclose(model.category_counts_[0].sum(), before + n / 4)


@pytest.mark.parametrize("params", [{}, {"prior": None}, {"loss": "absolute_error"}])
def test_weights_are_copies_and_the_order_does_not_show(params, mixed, quick):
    X, y = mixed
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 4, len(X))
    weighted = quick(**params).fit(X, y, sample_weight=weights)
    rows = np.repeat(np.arange(len(X)), weights)
    equal_fits(weighted, quick(**params).fit(X[rows], y[rows]))
    rows = rng.permutation(rows)
    equal_fits(weighted, quick(**params).fit(X[rows], y[rows]))


def test_no_weights_are_weights_of_one(mixed, quick):
    X, y = mixed
    equal_fits(quick().fit(X, y), quick().fit(X, y, sample_weight=np.ones(len(X))))


def test_a_row_of_weight_zero_teaches_no_token(quick):
    X, y = np.array(["a", "b", "c", "a"])[:, None], np.arange(4.0)
    model = quick().fit(X, y, sample_weight=[1, 1, 0, 1])
    assert model.categories_[0].tolist() == ["a", "b"]

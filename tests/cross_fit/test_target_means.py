"""Mean outcomes of tokens in front of the encoder's vectors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import KFold, ShuffleSplit, cross_val_score

from skembed import EmbeddingClassifier, EmbeddingEncoder, EmbeddingRegressor
from skembed._cross_fit.target_means import TokenSums
from skembed._data.rows import Observations


def observations(tokens, y, weights=None):
    """Rows of one column of codes and of no numbers."""
    n = len(tokens)
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    return Observations(tokens[:, None], np.zeros((n, 0)), y[:, None], weights)


def drawn(n_tokens=400, n=4_000, sd=3.0, noise=6.0, seed=0):
    rng = np.random.default_rng(seed)
    effects = rng.normal(0, sd, n_tokens)
    tokens = (n_tokens * rng.random(n) ** 2).astype(int)
    return effects, tokens, 50 + effects[tokens] + rng.normal(0, noise, n)


def test_means_are_those_of_bayes():
    effects, tokens, y = drawn()
    means, variances = TokenSums.of(observations(tokens, y), [401]).means()
    counts = np.bincount(tokens, minlength=400)
    raw = np.bincount(tokens, y, 400) / np.maximum(counts, 1) - y.mean()
    best = raw * counts * 9.0 / (counts * 9.0 + 36.0)
    assert_allclose(means[0][:400, 0], best, atol=0.4)
    off = means[0][:400, 0] - (effects + 50 - y.mean())
    assert np.mean(off**2) < 1.03 * np.mean((best - effects - 50 + y.mean()) ** 2)
    assert np.mean(off**2 / variances[0][:400, 0]) == pytest.approx(1.0, abs=0.15)
    # The code of unknown tokens: the mean of all, as far off as tokens are apart.
    assert means[0][400, 0] == 0.0
    assert variances[0][400, 0] == pytest.approx(9.0, rel=0.2)


def test_weights_are_copies_and_chunks_are_one_table():
    _, tokens, y = drawn(n=300, n_tokens=20)
    k = np.random.default_rng(1).integers(1, 4, 300)
    weighted = TokenSums.of(observations(tokens, y, k), [21])
    copied = TokenSums.of(observations(tokens.repeat(k), y.repeat(k)), [21])
    assert_allclose(weighted.means()[0][0], copied.means()[0][0])
    centre = np.average(y, weights=k)[None]
    chunk = TokenSums.of(observations(tokens[:100], y[:100], k[:100]), [9], centre)
    both = chunk.more(observations(tokens[100:], y[100:], k[100:]), [21])
    assert_allclose(both.means()[0][0], copied.means()[0][0])
    assert_allclose(both.explained(), copied.explained())


def test_means_stay_inside_those_of_parts_until_more_rows_come():
    _, tokens, y = drawn(n_tokens=100, n=400, noise=3.0)
    whole = TokenSums.of(observations(tokens, y), [101])
    folds = np.arange(400) % 5
    parts = [
        TokenSums.of(observations(tokens[folds != f], y[folds != f]), [101], y.mean())
        for f in range(5)
    ]
    of_parts = np.stack([part.means()[0][0] for part in parts])
    low, high = of_parts.min(axis=0), of_parts.max(axis=0)
    free, held = whole.means()[0][0], whole.within(parts).means()[0][0]
    assert (free != np.clip(free, low, high)).any()
    assert_array_equal(held, np.clip(free, low, high))
    # A token with more rows, and a new one, leave the range; others stay in theirs.
    token = np.bincount(tokens).argmax()
    rows = observations(np.array([token] * 50 + [101] * 50), np.full(100, 200.0))
    later = whole.within(parts).more(rows, [102]).means()[0][0]
    assert later[token] > high[token]
    assert later[101] > 100
    others = np.delete(np.arange(101), token)
    assert (later[others] >= low[others]).all()
    assert (later[others] <= high[others]).all()


def test_ends_of_the_scale():
    rng = np.random.default_rng(0)
    y = rng.normal(size=100)
    # One token per row: nothing tells tokens from noise.
    alone = TokenSums.of(observations(np.arange(100), y), [101])
    assert_array_equal(alone.means()[0][0], 0.0)
    # No noise: nothing is shrunk.
    tokens = np.arange(100) % 4
    exact = TokenSums.of(observations(tokens, tokens.astype(float)), [5])
    assert_allclose(exact.means()[0][0][:, 0], [-1.5, -0.5, 0.5, 1.5, 0.0])
    assert_allclose(exact.explained(), 1.0)
    same = TokenSums.of(observations(tokens, np.ones(100)), [5])
    assert_array_equal(same.means()[0][0], 0.0)
    assert_array_equal(same.explained(), 0.0)


def table(n=600, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.integers(0, 8, n), "b": rng.integers(0, 30, n)})
    return X.astype(str), 4.0 * X["a"].to_numpy() + rng.normal(0, 2, n)


def small(**settings):
    settings = {"target_mean": True, "random_state": 0, **settings}
    return EmbeddingEncoder(
        EmbeddingRegressor(3, epochs=10, random_state=0), **settings
    )


def test_means_stand_in_front():
    X, y = table()
    encoder = small().fit(X, y)
    plain = small(target_mean=False).fit(X, y)
    out = encoder.transform(X)
    assert out.shape == (600, 8)
    assert encoder.get_feature_names_out()[:5].tolist() == [
        *["a_0", "a_1", "a_2", "a_3"],
        "b_0",
    ]
    assert_array_equal(out[:, [1, 2, 3, 5, 6, 7]], plain.transform(X))
    of_a = [y[X["a"] == token].mean() - y.mean() for token in encoder.categories_[0]]
    assert_allclose(encoder.embeddings_[0][:, 0], of_a, rtol=0.02, atol=0.05)
    assert_array_equal(encoder.embeddings_[1][:, 0], 0.0)  # b says nothing
    assert (encoder.embeddings_std_[0][:, 0] < 0.3).all()
    assert_array_equal(encoder.transform(X.assign(a="never"))[:, 0], 0.0)
    back = encoder.inverse_transform(out)
    assert_array_equal(back[:, 0], X["a"])


def test_who_gets_them():
    X, y = table(200)
    widths = {
        True: EmbeddingEncoder(EmbeddingRegressor(2, epochs=2), target_mean=True),
        False: EmbeddingEncoder(EmbeddingRegressor(2, epochs=2)),
    }
    for with_mean, encoder in widths.items():
        assert encoder.fit(X, y).embeddings_[0].shape == (8, 2 + with_mean)
    made = EmbeddingEncoder(random_state=0).fit(X, y)
    assert made.embeddings_[0].shape[1] == made.estimator_.embeddings_[0].shape[1] + 1
    effects = EmbeddingEncoder(output="first_order").fit(X, y)
    assert effects.embeddings_[0].shape == (8, 1)
    frozen = FrozenEstimator(made.estimator_)
    assert (
        EmbeddingEncoder(frozen).fit(X).embeddings_[0].shape[1]
        == (made.estimator_.embeddings_[0].shape[1])
    )
    with pytest.raises(ValueError, match="target_mean=True needs the outcomes"):
        EmbeddingEncoder(frozen, target_mean=True).fit(X)


def test_one_number_per_class():
    X, y = table(400)
    labels = np.digitize(y, [8.0, 20.0])
    three = EmbeddingEncoder(
        EmbeddingClassifier(2, epochs=5, random_state=0), target_mean=True
    ).fit(X, labels)
    assert three.embeddings_[0].shape == (8, 5)
    token = three.categories_[0].tolist().index("7")
    assert (three.embeddings_[0][token, :3] > 0).tolist() == [False, False, True]
    # Probabilities, less those of all rows: they add up to nothing.
    assert_allclose(three.embeddings_[0][:, :3].sum(axis=1), 0.0, atol=0.05)


def test_they_are_of_the_other_folds():
    X, y = table()
    halves = [np.arange(300), np.arange(300, 600)]
    encoder = small(cv=[halves, halves[::-1]])
    out = encoder.fit_transform(X, y)
    centre = y.mean()
    for inside, outside in (halves, halves[::-1]):
        rows = X["a"].to_numpy() == "3"
        there, here = np.intersect1d(np.flatnonzero(rows), outside), rows[inside]
        expected = y[there].mean() - centre
        assert_allclose(out[inside][here, 0], expected, rtol=0.03, atol=0.05)


def test_nothing_is_learned_from_random_outcomes():
    rng = np.random.default_rng(0)
    y = np.sort(rng.normal(size=1_500))
    for n_tokens in (30, 500, 1_350):
        X = rng.integers(0, n_tokens, size=(1_500, 1))
        encoded = small(cv=KFold(2, shuffle=True, random_state=0)).fit_transform(X, y)
        forest = RandomForestRegressor(10, min_samples_leaf=20, random_state=0)
        cv = ShuffleSplit(n_splits=5, random_state=0)
        assert cross_val_score(forest, encoded, y, cv=cv).mean() < 0.1


def test_later_rows_move_them():
    X, y = table()
    encoder = small().partial_fit(X, y)
    before = dict(
        zip(encoder.categories_[0], encoder.embeddings_[0][:, 0], strict=True)
    )
    more = pd.DataFrame({"a": ["new"] * 40 + ["3"] * 10, "b": "1"})
    encoder.partial_fit(more, np.r_[np.full(40, 90.0), np.full(10, 12.0)])
    after = dict(zip(encoder.categories_[0], encoder.embeddings_[0][:, 0], strict=True))
    assert after["new"] == pytest.approx(90 - y.mean(), rel=0.05)
    assert after["7"] == pytest.approx(before["7"], rel=0.05)
    assert encoder.transform(more)[0, 0] == np.float32(after["new"])

"""partial_fit, warm_start and fold_in of the predictors."""

import numpy as np
import pandas as pd
import pytest
from heads import no_head
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from skembed import EmbeddingClassifier, EmbeddingRegressor, _settings
from skembed.datasets import make_token_outcomes


def stream(n=12_000, seed=0):
    """Rows in the order of their arrival; new tokens keep coming in."""
    rng = np.random.default_rng(seed)
    n_a, n_b = 150, 40
    A, B = rng.normal(size=(n_a, 2)), rng.normal(size=(n_b, 2))
    time = np.arange(n) / n
    a = (rng.random(n) ** 2 * n_a * (0.4 + 0.6 * time)).astype(int)
    b = (rng.random(n) * n_b * (0.5 + 0.5 * time)).astype(int)
    z = rng.normal(size=(n, 2))
    mean = 2 * A[a, 0] + B[b, 0] + 0.5 * A[a, 1] * B[b, 1] + np.sin(2 * z[:, 0])
    X = pd.DataFrame({"z0": z[:, 0], "z1": z[:, 1]})
    X["a"], X["b"] = [f"a{i}" for i in a], [f"b{i}" for i in b]
    held_out = np.arange(n) % 5 == 0
    y = mean + rng.normal(size=n)
    return X[~held_out], y[~held_out], X[held_out], y[held_out]


def chunks(X, y, n):
    for rows in np.array_split(np.arange(len(y)), n):
        yield X.iloc[rows], y[rows]


def test_ten_chunks_come_near_one_fit():
    errors = np.zeros(2)
    for seed in (0, 1):
        X, y, X_test, y_test = stream(seed=seed)
        whole = EmbeddingRegressor(random_state=0).fit(X, y)
        parts = EmbeddingRegressor(random_state=0)
        for chunk in chunks(X, y, 10):
            parts.partial_fit(*chunk)
        for i, model in enumerate((parts, whole)):
            errors[i] += np.mean(np.square(model.predict(X_test) - y_test))
        assert parts.noise_scale_ == pytest.approx(1.0, abs=0.1)
        assert parts.n_iter_ == len(parts.loss_curve_)
    assert errors[0] < 1.05 * errors[1]


def test_long_streams_go_on_from_the_posterior(monkeypatch):
    X, y, X_test, y_test = stream(8_000)
    monkeypatch.setattr(_settings, "REPLAY_ROWS", 4_000)
    model = EmbeddingRegressor(random_state=0)
    errors, n_kept = [], []
    for chunk in chunks(X, y, 8):
        model.partial_fit(*chunk)
        n_kept.append(0 if model._kept is None else len(model._kept.weights))
        errors.append(np.mean(np.square(model.predict(X_test) - y_test)))
    assert n_kept == [800, 1600, 2400, 3200, 4000, 0, 0, 0]
    # Each chunk brings new tokens, so what is learned from it shows.
    assert errors[7] < errors[4]
    assert model._fitted.n_seen == len(y)
    rows = X["a"] == "a3"
    before = dict(zip(model.categories_[0], model.embeddings_[0], strict=True))
    model.partial_fit(X[rows], y[rows])
    after = dict(zip(model.categories_[0], model.embeddings_[0], strict=True))
    moved = [token for token in before if (before[token] != after[token]).any()]
    assert moved == ["a3"]


def test_fit_keeps_no_rows():
    X, y = small()
    model = EmbeddingRegressor(epochs=2, random_state=0).partial_fit(X, y)
    assert len(model._kept.weights) == len(y)
    model.fold_in(X[:5], y[:5])
    assert len(model._kept.weights) == len(y) + 5
    assert model.fit(X, y)._kept is None
    assert model.partial_fit(X, y)._kept is None


def small(n=400, seed=0):
    rng = np.random.default_rng(seed)
    token = rng.integers(0, 5, n)
    X = np.array([f"t{t}" for t in token], dtype=object)[:, None]
    return X, token - 2 + rng.normal(size=n)


def test_new_tokens_are_added_and_old_ones_keep_their_place():
    X, y = small()
    model = EmbeddingRegressor(epochs=20, random_state=0).partial_fit(X, y)
    before = dict(zip(model.categories_[0], model.embedding_[:, 0], strict=True))
    X_new = np.array([["s"], ["u"]] * 50, dtype=object)
    model.partial_fit(X_new, np.array([1.5, -1.5] * 50))
    assert model.categories_[0].tolist() == ["s", "t0", "t1", "t2", "t3", "t4", "u"]
    counts = dict(zip(model.categories_[0], model.category_counts_[0], strict=True))
    assert counts["s"] == 50
    assert sum(counts.values()) == 500
    predicted = model.predict([["s"], ["u"], ["t0"], ["t4"]])
    assert_allclose(predicted, [1.5, -1.5, -2, 2], atol=0.5)
    after = dict(zip(model.categories_[0], model.embedding_[:, 0], strict=True))
    for token, value in before.items():
        assert after[token] == pytest.approx(value, abs=0.05)


def test_fold_in_is_what_a_refit_would_give():
    rng = np.random.default_rng(0)
    n, n_old = 6_000, 100
    A, B = rng.normal(size=(n_old + 20, 2)), rng.normal(size=(30, 2))
    rows_of_new = rng.integers(2, 40, 20)
    new = np.repeat(np.arange(n_old, n_old + 20), rows_of_new)
    a = np.concatenate([rng.integers(n_old, size=n), new])
    b, z = rng.integers(30, size=len(a)), rng.normal(size=len(a))
    mean = 2 * A[a, 0] + B[b, 0] + A[a, 1] * B[b, 1] + 0.5 * z
    y = mean + rng.normal(size=len(a))
    X = pd.DataFrame({"a": a, "b": b, "z": z})
    folded = EmbeddingRegressor(random_state=0).fit(X[:n], y[:n])
    folded.fold_in(X[n:], y[n:])
    refit = EmbeddingRegressor(random_state=0).fit(X, y)
    asked = pd.DataFrame({"a": np.repeat(np.unique(new), 30), "z": 0.0})
    asked.insert(1, "b", np.tile(np.arange(30), 20))
    std = refit.predict_std(asked, include_noise=False)
    gap = folded.predict(asked) - refit.predict(asked)
    assert np.sqrt(np.mean(np.square(gap / std))) < 0.7
    own = folded.predict_std(asked, include_noise=False)
    assert np.median(own / std) == pytest.approx(1.0, abs=0.1)
    truth = 2 * A[asked["a"], 0] + B[asked["b"], 0]
    truth += A[asked["a"], 1] * B[asked["b"], 1]
    assert np.mean(np.abs(folded.predict(asked) - truth) < 2 * own) > 0.85


def test_first_partial_fit_is_a_fit():
    X, y = small()
    fitted = EmbeddingRegressor(epochs=5, random_state=0).fit(X, y)
    started = EmbeddingRegressor(epochs=5, random_state=0).partial_fit(X, y)
    assert_array_equal(fitted.embedding_, started.embedding_)


def test_partial_fit_of_points_learns_new_tokens():
    X, y = small()
    model = EmbeddingRegressor(epochs=100, prior=None, random_state=0).fit(X, y)
    model.partial_fit(np.r_[X, [["new"]] * 80], np.r_[y, np.full(80, 4.0)])
    assert model.predict([["new"]])[0] == pytest.approx(4.0, abs=1.0)


def test_classes_are_given_in_the_first_call():
    X, y = small()
    labels = np.where(y > 0, "up", "down")
    model = EmbeddingClassifier(epochs=10, random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        model.partial_fit(X, labels)
    ups = labels == "up"
    model.partial_fit(X[ups], labels[ups], classes=["up", "down", "flat"])
    assert model.classes_.tolist() == ["down", "flat", "up"]
    for _ in range(3):
        model.partial_fit(X, labels, sample_weight=np.ones(len(y)))
    p = model.predict_proba(X)
    assert p.shape == (len(y), 3)
    assert p[:, 1].max() < 0.1
    with pytest.raises(ValueError, match="not the same as on last call"):
        model.partial_fit(X, labels, classes=["up", "down"])
    with pytest.raises(ValueError, match=r"classes not in `self.classes_`: \['left'\]"):
        model.partial_fit(X[:1], ["left"])
    with pytest.raises(ValueError, match="only one class: 'up'"):
        EmbeddingClassifier().partial_fit(X, labels, classes=["up"])


def test_classifier_goes_on_from_a_fit():
    X, y = small()
    labels = y > 0
    model = EmbeddingClassifier(epochs=10, random_state=0).fit(X, labels)
    model.partial_fit([["new"]] * 40, [True] * 39 + [False])
    assert model.predict_proba([["new"]])[0, 1] > 0.7
    multilabel = EmbeddingClassifier(epochs=5, random_state=0)
    Y = np.c_[labels, ~labels].astype(int)
    multilabel.partial_fit(X, Y, classes=[0, 1]).partial_fit(X, Y)
    assert multilabel.predict_proba(X).shape == Y.shape


def test_chunk_of_another_shape_is_refused():
    X, y = small()
    model = EmbeddingRegressor(epochs=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(np.c_[X, X], y)
    with pytest.raises(ValueError, match="fitted with 1"):
        model.partial_fit(X, np.c_[y, y])


def test_early_stopping_goes_on_growing_its_curve_and_is_refused_for_chunks():
    X, y = small()
    params = {"early_stopping": True, "epochs": 3, "random_state": 0}
    model = EmbeddingRegressor(2, (4,), warm_start=True, **params).fit(X, y)
    first = list(model.validation_loss_curve_)
    model.fit(X, y)
    assert model.validation_loss_curve_[: len(first)] == first
    assert len(model.validation_loss_curve_) == len(model.loss_curve_) > len(first)
    model.fold_in(X[:9], y[:9])  # holds none out: a gap in the curve
    assert len(model.validation_loss_curve_) == len(model.loss_curve_)
    assert np.isnan(model.validation_loss_curve_[-1])
    for make in (EmbeddingRegressor, EmbeddingClassifier):
        with pytest.raises(ValueError, match="does not support early_stopping"):
            make(**params).partial_fit(X, y)


@pytest.mark.parametrize("prior", ["normal", None])
def test_warm_start_goes_on(prior, mixed, quick):
    X, y = mixed
    model = quick(prior=prior, warm_start=True, learning_rate=0.01).fit(X, y)
    first = model.loss_curve_
    model.fit(X, y)
    assert model.n_iter_ == 8
    assert model.loss_curve_[:4] == first
    assert model.loss_curve_[4] < first[3]
    cold = quick(prior=prior, learning_rate=0.01).fit(X, y).fit(X, y)
    assert cold.n_iter_ == 4


@pytest.mark.parametrize("prior", ["normal", None])
def test_warm_start_keeps_old_tokens_and_takes_new_ones(prior, quick):
    X = np.array(["a", "b", "c", "a"])[:, None]
    model = quick(prior=prior, warm_start=True).fit(X, np.arange(4.0))
    old = model.embedding_.copy()
    model.fit(np.array([["d"], ["a"]]), [5.0, 1.0])
    assert model.categories_[0].tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(model.embedding_[1:3], old[1:3])
    assert (model.embedding_[0] != old[0]).any()
    assert model.category_counts_[0].tolist() == [3.0, 1.0, 1.0, 1.0]


def test_partial_fit_in_chunks_comes_near_one_fit(many_tokens):
    X, y = many_tokens.X, many_tokens.y
    params = {"model": no_head, "epochs": 60, "random_state": 0}
    whole = EmbeddingRegressor(1, **params).fit(X, y)
    chunks = EmbeddingRegressor(1, **params)
    for part in np.array_split(np.arange(len(X)), 4):
        chunks.partial_fit(X[part], y[part])
    np.testing.assert_array_equal(chunks.categories_[0], whole.categories_[0])
    np.testing.assert_array_equal(chunks.category_counts_[0], whole.category_counts_[0])
    tokens = whole.categories_[0][:, None]
    gap = chunks.predict(tokens) - whole.predict(tokens)
    spread = whole.predict_std(tokens, include_noise=False)
    assert np.sqrt(np.mean(np.square(gap / spread))) < 0.5
    np.testing.assert_allclose(
        chunks.predict_std(tokens, include_noise=False), spread, rtol=0.25
    )


@pytest.mark.parametrize("prior", ["normal", None])
def test_partial_fit_forgets_no_token(prior, quick):
    model = quick(prior=prior)
    model.fit([["a"], ["b"], ["a"]], [1.0, 2.0, 3.0])
    old = model.embedding_.copy()
    model.partial_fit([["a"], ["c"]], [2.0, 5.0])
    assert model.categories_[0].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(model.embedding_[1], old[1])


def test_fold_in_moves_nothing_but_the_tokens_of_its_rows():
    data = make_token_outcomes(3_000, 30, effects="normal", random_state=0)
    X, y = data
    new = X[:, 0] >= 28
    model = EmbeddingRegressor(4, (16,), epochs=30, random_state=0)
    model.fit(X[~new], y[~new])
    before, std = model.embedding_.copy(), model.embedding_std_.copy()
    dense = {k: v.copy() for k, v in model._fitted.weights.dense.items()}
    unknown, known = model.predict([[28]]), model.predict(X[~new])
    model.fold_in(X[new], y[new])
    assert model.categories_[0].tolist() == list(range(30))
    np.testing.assert_array_equal(model.embedding_[:28], before)
    np.testing.assert_array_equal(model.embedding_std_[:28], std)
    for name, value in model._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, dense[name])
    for token in (28, 29):
        mean = y[X[:, 0] == token].mean()
        np.testing.assert_allclose(model.predict([[token]])[0], mean, atol=1.0)
    assert_array_equal(model.predict(X[~new]), known)
    assert model.predict([[99]]) == unknown
    with pytest.raises(NotFittedError):
        EmbeddingRegressor().fold_in(X, y)


def test_fold_in_of_points_moves_nothing_but_the_tokens_of_its_rows():
    X, y = small()
    model = EmbeddingRegressor(2, epochs=100, prior=None, random_state=0).fit(X, y)
    before = model.embedding_.copy()
    dense = {k: v.copy() for k, v in model._fitted.weights.dense.items()}
    model.fold_in([["new"]] * 200, np.full(200, 1.0))
    assert_array_equal(model.embedding_[1:], before)
    for name, value in model._fitted.weights.dense.items():
        assert_array_equal(value, dense[name])
    assert model.predict([["new"]])[0] == pytest.approx(1.0, abs=0.7)


def test_classes_may_be_given_again():
    X, y = small()
    once = EmbeddingClassifier(epochs=3, random_state=0)
    again = EmbeddingClassifier(epochs=3, random_state=0)
    for classes in ([False, True], None):
        once.partial_fit(X, y > 0, classes=classes)
        again.partial_fit(X, y > 0, classes=[False, True])
    assert_array_equal(once.predict_proba(X), again.predict_proba(X))
    Y = np.c_[y > 0, y < 0].astype(int)
    labels = EmbeddingClassifier(epochs=1, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="indicator matrix with 2 columns"):
        labels.partial_fit(X, np.c_[Y, Y])

"""EmbeddingClassifier: labels, probabilities, weights, errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score

from skembed import EmbeddingClassifier


def draw(n=600, n_classes=2, seed=0):
    """Tokens, and classes whose shares depend on them."""
    rng = np.random.default_rng(seed)
    token = rng.integers(0, 6, n)
    logits = rng.normal(scale=1.5, size=(6, n_classes))
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) > p[token].cumsum(axis=1)).sum(axis=1)
    X = np.array([f"t{t}" for t in token], dtype=object)[:, None]
    return X, y, p[token]


def make(**settings):
    return EmbeddingClassifier(random_state=0, **{"epochs": 30, **settings})


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 1]),
        np.array([-3, 7]),
        np.array([False, True]),
        np.array(["no", "yes"]),
        np.array(["no", "yes"], dtype=object),
        np.array([0.0, 1.0]),
        np.array([0, 1, 2]),
        np.array(["a", "b", "c"]),
    ],
    ids=str,
)
def test_labels_of_any_kind_come_back(labels):
    X, y, truth = draw(n_classes=len(labels))
    classifier = make().fit(X, labels[y])
    assert_array_equal(classifier.classes_, labels)
    predicted = classifier.predict(X)
    assert set(predicted.tolist()) <= set(labels.tolist())
    assert predicted.dtype == classifier.classes_.dtype
    p = classifier.predict_proba(X)
    assert_allclose(p.sum(axis=1), 1.0)
    assert np.abs(p - truth).mean() < 0.06
    assert_allclose(np.exp(classifier.predict_log_proba(X)), p)
    assert_array_equal(labels[p.argmax(axis=1)], predicted)
    decision = classifier.decision_function(X)
    assert decision.shape == ((len(X),) if len(labels) == 2 else (len(X), len(labels)))


def test_names_of_labels_do_not_matter():
    X, y, _ = draw()
    numbers = make().fit(X, y).predict_proba(X)
    names = make().fit(X, np.array(["x", "y"])[y]).predict_proba(X)
    assert_array_equal(numbers, names)


def test_first_order_effect_is_in_log_odds():
    X, y, truth = draw(n=4000)
    classifier = EmbeddingClassifier(random_state=0).fit(X, y)
    of_token = {t: p for t, p in zip(X[:, 0], truth[:, 1], strict=True)}
    p = np.array([of_token[t] for t in classifier.categories_[0]])
    effect = classifier.embedding_[:, 0]
    assert np.corrcoef(effect, np.log(p / (1 - p)))[0, 1] > 0.95


def test_probability_of_a_rare_token_is_shrunk():
    X, y, _ = draw()
    rare = np.array([["once"]], dtype=object)
    classifier = EmbeddingClassifier(random_state=0).fit(
        np.r_[X, rare], np.append(y, 1)
    )
    p = classifier.predict_proba([["once"], ["never"]])[:, 1]
    assert p[1] < p[0] < 0.9
    assert abs(p[1] - y.mean()) < 0.15


def test_unknown_token_is_at_the_prior_or_an_error():
    X, y, _ = draw()
    classifier = make().fit(X, y)
    never, missing = classifier.predict_proba([["never"], [None]])
    assert_array_equal(never, missing)
    known = classifier.predict_proba(X)
    assert (known.min(axis=0) + 0.1 < never).all()
    assert (never < known.max(axis=0) - 0.1).all()
    assert (np.abs(known - never) > 1e-3).all()  # nor that of any token
    with pytest.raises(ValueError, match="Found unknown tokens 'never'"):
        make(handle_unknown="error").fit(X, y).predict([["never"]])


def test_equal_rows_merge_exactly():
    X, y, _ = draw(n_classes=3)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    weighted = make().fit(X, y, weights).predict_proba(X)
    copied = make().fit(np.repeat(X, weights, axis=0), np.repeat(y, weights))
    assert_array_equal(weighted, copied.predict_proba(X))
    order = np.random.default_rng(2).permutation(len(y))
    shuffled = make().fit(X[order], y[order], weights[order])
    assert_array_equal(weighted, shuffled.predict_proba(X))


def test_class_weight_is_a_sample_weight():
    X, y, _ = draw()
    by_dict = make(class_weight={0: 1, 1: 3}).fit(X, y).predict_proba(X)
    by_row = make().fit(X, y, np.where(y == 1, 3.0, 1.0)).predict_proba(X)
    assert_allclose(by_dict, by_row, rtol=1e-5)
    left_out = make(class_weight={0: 1, 1: 1, 2: 0})
    X3, y3, _ = draw(n_classes=3)
    assert left_out.fit(X3, y3).classes_.tolist() == [0, 1]


def test_balanced_class_weight_makes_the_classes_equal():
    X, y, _ = draw(n=2000)
    few = np.flatnonzero((y == 0) | (np.arange(len(y)) % 10 == 0))
    X, y = X[few], y[few]
    assert y.mean() < 0.2
    assert make().fit(X, y).predict_proba(X)[:, 1].mean() == pytest.approx(
        y.mean(), abs=0.03
    )
    balanced = make(class_weight="balanced").fit(X, y)
    p = balanced.predict_proba(X)[:, 1]
    weighted = np.average(p, weights=np.where(y == 1, 1 / y.mean(), 1 / (1 - y.mean())))
    assert weighted == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_multilabel(as_sparse):
    X, y, truth = draw(n=1500, n_classes=3)
    Y = np.eye(3, dtype=int)[y]
    given = sparse.csr_array(Y) if as_sparse else Y
    classifier = make(epochs=60).fit(X, given)
    p = classifier.predict_proba(X)
    assert p.shape == Y.shape
    assert np.abs(p - truth).mean() < 0.06
    assert_array_equal(classifier.predict(X), p > 0.5)
    assert_array_equal(classifier.classes_, [0, 1, 2])
    assert_allclose(np.exp(classifier.predict_log_proba(X)), p)
    assert classifier.decision_function(X).shape == Y.shape
    assert classifier.score(X, Y) == np.mean((classifier.predict(X) == Y).all(axis=1))


@pytest.mark.parametrize(
    "y, message",
    [
        (["a"] * 6, "at least 2 classes in the data.*only one class: 'a'"),
        (np.linspace(0, 1, 6), "Unknown label type: continuous"),
        ([0, 1, 0, 1, 0, np.nan], "Input y contains NaN"),
        ([0, 1, 0], "inconsistent numbers of samples"),
        (np.arange(12).reshape(6, 2), "Unknown label type: multiclass-multioutput"),
        (None, "requires y to be passed, but the target y is None"),
    ],
)
def test_wrong_y_is_refused(y, message):
    X = [["a"], ["b"]] * 3
    with pytest.raises(ValueError, match=message):
        make().fit(X, y)


def test_wrong_class_weight_is_refused():
    X, y, _ = draw()
    with pytest.raises(ValueError, match="not in class_weight"):
        make(class_weight={0: 1, 5: 2}).fit(X, y)
    with pytest.raises(ValueError, match="class_weight leaves no row"):
        make(class_weight={0: 0, 1: 0}).fit(X, y)


def test_class_missing_in_a_fold_is_scored():
    X, y, _ = draw(n=90, n_classes=3)
    y[y == 2] = 0
    y[:2] = 2  # both in the first fold
    with pytest.warns(UserWarning, match="least populated class"):
        scores = cross_val_score(make(epochs=5), X, y, cv=3)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_keras_model_gives_the_same_probabilities(n_classes):
    X, y, _ = draw(n_classes=n_classes)
    classifier = make(epochs=5).fit(X, y)
    inputs = classifier.model_inputs(X[:7])
    out = np.asarray(classifier.model_([inputs["codes"], inputs["numbers"]]))
    # Keras's network has the vectors at their means, without their spread.
    fitted = classifier._fitted
    f = fitted.predictor.outputs(classifier._encoded(X[:7]))
    assert_allclose(out, fitted.likelihood.mean(f), atol=1e-5)
    expected = classifier.predict_proba(X[:7])
    assert_allclose(out, expected if n_classes > 2 else expected[:, 1:], atol=0.1)


def test_early_stopping_watches_the_log_loss():
    X, y, _ = draw(n_classes=3)
    classifier = make(early_stopping=True, n_iter_no_change=3).fit(X, y)
    assert len(classifier.validation_loss_curve_) == classifier.n_iter_
    assert min(classifier.validation_loss_curve_) < np.log(3)


def test_point_vectors_learn_too():
    X, y, truth = draw(n=1500)
    classifier = make(prior=None, epochs=100).fit(X, y)
    best = log_loss(y, truth)
    assert log_loss(y, classifier.predict_proba(X)) < best + 0.02
    with pytest.raises(AttributeError, match="prior=None"):
        _ = classifier.embedding_std_


def test_class_weight_of_several_labels_is_a_sample_weight():
    X, y, _ = draw(n_classes=3)
    Y = np.eye(3, dtype=int)[y]
    by_label = [{0: 1, 1: 1}, {0: 1, 1: 3}, {0: 1, 1: 1}]
    weighted = make(class_weight=by_label).fit(X, Y).predict_proba(X)
    by_row = make().fit(X, Y, np.where(y == 1, 3.0, 1.0)).predict_proba(X)
    assert_allclose(weighted, by_row, rtol=1e-5)

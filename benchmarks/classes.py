"""Print how well several classes are predicted, of few and of many rows.

    python benchmarks/classes.py --rows 150 500 --classes 3 10 30

The tables have four columns of tokens (10 to 100 each), two of which matter, and four
numbers, two of which matter. Every token has an effect of its own on every class.
"""

import argparse

import numpy as np
from catboost import CatBoostClassifier
from report import header, repeated, write
from scipy.special import rel_entr, softmax
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import make_pipeline
from small import splined, target_encoded

TOKENS, NUMBERS = [0, 1, 2, 3], [4, 5, 6, 7]
TEST_ROWS = 4_000
TREES = [10, 30, 100, 300]


def make(seed, n_rows, n_classes):
    """Return a table, classes, and their probabilities given the table."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(10, 101, len(TOKENS))
    tokens = rng.integers(0, sizes, (n_rows, len(TOKENS)))
    numbers = rng.normal(size=(n_rows, len(NUMBERS)))
    logits = 0.5 * rng.normal(size=n_classes) + np.zeros((n_rows, 1))
    for column in (0, 1):
        logits += 0.8 * rng.normal(size=(100, n_classes))[tokens[:, column]]
    logits += 0.5 * numbers[:, :1] * rng.normal(size=n_classes)
    logits += np.sin(2 * numbers[:, 1:2]) * rng.normal(size=n_classes)
    p = softmax(logits, axis=1)
    y = (p.cumsum(axis=1) > rng.random((n_rows, 1))).argmax(axis=1)
    return np.concatenate([tokens.astype(str).astype(object), numbers], axis=1), y, p


def log_score(model, X, y):
    """Return the mean log-probability of the classes that the model knows."""
    p = model.predict_proba(X)
    at = np.minimum(np.searchsorted(model.classes_, y), len(model.classes_) - 1)
    known = model.classes_[at] == y
    return np.log(np.maximum(p[known, at[known]], 1e-12)).mean()


def searched(model, values, seed):
    """Return a model whose parameter three folds choose by the log-loss."""
    # Not stratified: there are classes of a row or two.
    folds = KFold(3, shuffle=True, random_state=seed)
    return GridSearchCV(model, values, scoring=log_score, cv=folds)


def skembed(seed):
    """Return skembed with its defaults."""
    from skembed import EmbeddingClassifier

    return EmbeddingClassifier(categorical_features=TOKENS, random_state=seed)


def splines_logistic(seed):
    """Return one-hot tokens and splines of the numbers before a tuned regression."""
    found = {"C": np.logspace(-3, 1, 7)}
    model = searched(LogisticRegression(max_iter=300), found, seed)
    return make_pipeline(splined(TOKENS, NUMBERS), model)


def target_hist_gb(seed):
    """Return scikit-learn's target encoding before boosting."""
    encoded = target_encoded(TOKENS, NUMBERS, seed, "multiclass")
    booster = HistGradientBoostingClassifier(random_state=seed)
    return make_pipeline(encoded, searched(booster, {"max_iter": TREES}, seed))


class CatBoost:
    """CatBoost with as many trees as a tenth of the rows chooses."""

    def __init__(self, seed):
        self.seed = seed

    def fit(self, X, y):
        """Fit on nine tenths; rows of the last whose class these lack do not count."""
        left, held = train_test_split(
            np.arange(len(y)), test_size=0.1, random_state=self.seed
        )
        held = held[np.isin(y[held], y[left])]
        self.model = CatBoostClassifier(
            loss_function="MultiClass",
            iterations=500,
            learning_rate=0.1,
            early_stopping_rounds=30,
            max_ctr_complexity=2,
            cat_features=TOKENS,
            random_seed=self.seed,
            thread_count=1,
            verbose=False,
            allow_writing_files=False,
        )
        self.model.fit(X[left], y[left], eval_set=(X[held], y[held]))
        self.classes_ = self.model.classes_
        return self

    def predict_proba(self, X):
        """Return probabilities of the classes."""
        return self.model.predict_proba(X)


def shares(seed):
    """Return the shares of the classes, whatever the row."""
    return DummyClassifier()


METHODS = {
    "skembed": skembed,
    "one-hot + splines + logistic": splines_logistic,
    "TE + HistGB": target_hist_gb,
    "CatBoost": CatBoost,
}


def divergence(p, predicted, classes):
    """Return the mean divergence of predicted probabilities from the true ones.

    Classes that no row of the training had are left out of both.
    """
    p = p[:, classes] / p[:, classes].sum(axis=1, keepdims=True)
    return np.mean(rel_entr(p, np.maximum(predicted, 1e-12)).sum(axis=1))


def run(n_rows, n_classes, seed):
    """Return the explained share of the divergence by method."""
    X, y, p = make(seed, n_rows + TEST_ROWS, n_classes)
    train, test = slice(n_rows), slice(n_rows, None)

    def found(method):
        model = method(seed).fit(X[train], y[train])
        return divergence(p[test], model.predict_proba(X[test]), model.classes_)

    constant = found(shares)
    return {name: 1.0 - found(method) / constant for name, method in METHODS.items()}


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[150, 500])
    parser.add_argument("--classes", nargs="+", type=int, default=[3, 10, 30])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    lines, results = [], []
    for n_rows in args.rows:
        for n_classes in args.classes:
            cell = {"n_rows": n_rows, "n_classes": n_classes}
            mean, found = repeated(run, args.seeds, **cell)
            shown = [f"{mean[name]:.3f}" for name in METHODS]
            lines.append([f"{n_rows:,}", str(n_classes), *shown])
            results += found
    title = (
        "Share of the divergence between the shares of the classes and the true "
        f"probabilities that is explained, on {TEST_ROWS:,} new rows: means over seeds "
        f"{', '.join(map(str, args.seeds))}."
    )
    parts = [(title, ["rows", "classes", *METHODS], lines)]
    used = ["catboost", "numpy", "scikit-learn", "scipy", "skembed", "tensorflow"]
    write(args.out, header(used), parts, results)


if __name__ == "__main__":
    main()

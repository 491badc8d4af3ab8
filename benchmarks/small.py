"""Print how well small tables are predicted, and how often intervals cover.

    python benchmarks/small.py --rows 100 300 1000 3000 --seeds 0 1 2

The tables have categorical columns (5 to 200 tokens each, effects of sd 1) and numbers,
three of which matter, one pair together; noise of sd 1.
"""

import argparse

import numpy as np
from report import header, repeated, write
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, TargetEncoder

SHAPES = [(2, 0), (4, 4), (6, 12)]
COVERAGES = (0.5, 0.8, 0.95)
TEST_ROWS = 3_000


def make(seed, n_rows, n_categorical, n_numeric):
    """Return a table and its outcome."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 201, n_categorical)
    tokens = np.stack([rng.integers(0, size, n_rows) for size in sizes], axis=1)
    numbers = rng.normal(size=(n_rows, n_numeric))
    y = rng.normal(size=n_rows)
    for column in tokens.T:
        y += rng.normal(size=200)[column]
    if n_numeric:
        y += 2 * np.sin(2 * numbers[:, 0]) + (numbers[:, 1] > 0) * numbers[:, 2]
    return np.concatenate([tokens.astype(str).astype(object), numbers], axis=1), y


def skembed(columns, numeric, seed):
    """Return skembed with its defaults."""
    from skembed import EmbeddingRegressor

    return EmbeddingRegressor(categorical_features=columns, random_state=seed)


def splined(columns, numeric):
    """Return one-hot tokens and splines of the numbers."""
    one_hot = OneHotEncoder(handle_unknown="ignore")
    return make_column_transformer((one_hot, columns), (SplineTransformer(), numeric))


def target_encoded(columns, numeric, seed, target_type="continuous"):
    """Return scikit-learn's target encoding beside the numbers."""
    folds = KFold(5, shuffle=True, random_state=seed)
    encoder = TargetEncoder(target_type=target_type, cv=folds)
    return make_column_transformer((encoder, columns), ("passthrough", numeric))


def splines_ridge(columns, numeric, seed):
    """Return one-hot tokens and splines of the numbers before a tuned ridge."""
    ridge = RidgeCV(np.logspace(-3, 3, 13))
    return make_pipeline(splined(columns, numeric), ridge)


def target_hist_gb(columns, numeric, seed):
    """Return scikit-learn's target encoding before boosting."""
    booster = HistGradientBoostingRegressor(random_state=seed)
    return make_pipeline(target_encoded(columns, numeric, seed), booster)


METHODS = {
    "skembed": skembed,
    "one-hot + splines + ridge": splines_ridge,
    "TE + HistGB": target_hist_gb,
}


def run(n_rows, shape, seed):
    """Return R2 by method, and the shares that skembed's intervals cover."""
    X, y = make(seed, n_rows + TEST_ROWS, *shape)
    columns, numeric = list(range(shape[0])), list(range(shape[0], sum(shape)))
    train, test = slice(n_rows), slice(n_rows, None)
    found = {}
    for name, method in METHODS.items():
        model = method(columns, numeric, seed).fit(X[train], y[train])
        found[name] = float(model.score(X[test], y[test]))
        if name == "skembed":
            for coverage in COVERAGES:
                low, high = model.predict_interval(X[test], coverage).T
                inside = (low <= y[test]) & (y[test] <= high)
                found[coverage] = float(inside.mean())
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", nargs="+", type=int, default=[100, 300, 1000, 3000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    quality, covered, results = [], [], []
    for n_rows in args.rows:
        for shape in SHAPES:
            mean, found = repeated(run, args.seeds, n_rows=n_rows, shape=shape)
            size = [f"{n_rows:,}", "{} + {}".format(*shape)]
            quality.append([*size, *(f"{mean[name]:.3f}" for name in METHODS)])
            covered.append([*size, *(f"{100 * mean[c]:.1f}" for c in COVERAGES)])
            results += found
    seeds = ", ".join(map(str, args.seeds))
    size = ["rows", "tokens + numbers"]
    parts = [
        (
            f"R2 on {TEST_ROWS:,} new rows: mean over seeds {seeds}.",
            [*size, *METHODS],
            quality,
        ),
        (
            "New rows (%) within skembed's intervals.",
            [*size, *(f"{100 * c:.0f} %" for c in COVERAGES)],
            covered,
        ),
    ]
    used = ["numpy", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), parts, results)


if __name__ == "__main__":
    main()

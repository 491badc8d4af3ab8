"""Print how well counts are predicted whose rates scatter, more and less.

    python benchmarks/counts.py --rows 300 1000 3000 10000 --seeds 0 1 2

The tables have four columns of tokens (50 to 200 each) and four numbers, which act on
the logarithm of the rate. Beside what the columns say a rate scatters as a gamma
distribution, or is 0 for half of the rows.
"""

import argparse

import numpy as np
from catboost import CatBoostRegressor
from report import header, repeated, write
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from small import splined, target_encoded

TOKENS, NUMBERS = [0, 1, 2, 3], [4, 5, 6, 7]
TEST_ROWS = 4_000
SCATTERS = {"none": 0.0, "gamma, 0.5": 0.5, "gamma, 1": 1.0, "half are 0": None}


def make(seed, n_rows, scatter):
    """Return a table, counts, and their mean given the table."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(50, 201, len(TOKENS))
    tokens = rng.integers(0, sizes, (n_rows, len(TOKENS)))
    numbers = rng.normal(size=(n_rows, len(NUMBERS)))
    log_mean = 0.5 * rng.normal(size=(200, len(TOKENS)))[tokens, TOKENS].sum(axis=1)
    log_mean += np.sin(2 * numbers[:, 0]) + (numbers[:, 1] > 0) * numbers[:, 2] / 2
    mean = np.exp(np.clip(log_mean, -5.0, 3.0))
    if scatter is None:
        rate = 2.0 * mean * (rng.random(n_rows) < 0.5)
    else:
        rate = mean * (rng.gamma(scatter**-2, scatter**2, n_rows) if scatter else 1.0)
    X = np.concatenate([tokens.astype(str).astype(object), numbers], axis=1)
    return X, rng.poisson(rate).astype(float), mean


def skembed(seed):
    """Return skembed with its defaults for counts."""
    from skembed import EmbeddingRegressor

    return EmbeddingRegressor(
        loss="poisson", categorical_features=TOKENS, random_state=seed
    )


def splines_poisson(seed):
    """Return one-hot tokens and splines of the numbers before a tuned regression."""
    model = GridSearchCV(
        PoissonRegressor(max_iter=1_000),
        {"alpha": np.logspace(-4, 0, 9)},
        scoring="neg_mean_poisson_deviance",
        cv=KFold(5, shuffle=True, random_state=seed),
    )
    return make_pipeline(splined(TOKENS, NUMBERS), model)


def target_hist_gb(seed):
    """Return scikit-learn's target encoding before boosting with Poisson's loss."""
    booster = HistGradientBoostingRegressor(loss="poisson", random_state=seed)
    return make_pipeline(target_encoded(TOKENS, NUMBERS, seed), booster)


def catboost(seed):
    """Return CatBoost with Poisson's loss, as many trees as it chooses by default."""
    return CatBoostRegressor(
        loss_function="Poisson",
        cat_features=TOKENS,
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


METHODS = {
    "skembed": skembed,
    "one-hot + splines + Poisson": splines_poisson,
    "TE + HistGB": target_hist_gb,
    "CatBoost": catboost,
}


def divergence(mean, predicted):
    """Return the mean divergence of Poisson distributions from those of the truth."""
    predicted = np.maximum(predicted, 1e-9)
    return np.mean(predicted - mean - mean * np.log(predicted / mean))


def run(n_rows, scatter, seed):
    """Return the explained share by method, and what skembed's intervals cover."""
    X, y, mean = make(seed, n_rows + TEST_ROWS, SCATTERS[scatter])
    train, test = slice(n_rows), slice(n_rows, None)
    constant = divergence(mean[test], np.full(TEST_ROWS, y[train].mean()))
    found = {}
    for name, method in METHODS.items():
        model = method(seed).fit(X[train], y[train])
        found[name] = 1.0 - divergence(mean[test], model.predict(X[test])) / constant
        if name == "skembed":
            low, high = model.predict_interval(X[test], 0.8).T
            found["covered"] = float(np.mean((low <= y[test]) & (y[test] <= high)))
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    rows = [300, 1_000, 3_000, 10_000]
    parser.add_argument("--rows", nargs="+", type=int, default=rows)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    lines, results = [], []
    for n_rows in args.rows:
        for scatter in SCATTERS:
            cell = {"n_rows": n_rows, "scatter": scatter}
            mean, found = repeated(run, args.seeds, **cell)
            shares = [f"{mean[name]:.3f}" for name in METHODS]
            covered = f"{100 * mean['covered']:.1f}"
            lines.append([f"{n_rows:,}", scatter, *shares, covered])
            results += found
    title = (
        "Share of Poisson's divergence between the mean count and the true rates that "
        f"is explained, on {TEST_ROWS:,} new rows, and new rows (%) within skembed's "
        f"intervals of 80 %: means over seeds {', '.join(map(str, args.seeds))}."
    )
    parts = [(title, ["rows", "scatter", *METHODS, "in 80 %"], lines)]
    used = ["catboost", "numpy", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), parts, results)


if __name__ == "__main__":
    main()

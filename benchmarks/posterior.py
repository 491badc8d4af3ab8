"""Print how near each method comes to the best possible predictor.

    python benchmarks/posterior.py --parts effects crossed coverage --seeds 0 1 2

``effects``: one column of tokens, each with an effect of standard deviation 10; the
mean squared error of the effects, over the tokens of new rows.
``crossed``: two columns with an interaction of rank 3; the squared error on test rows
over that of the noiseless truth, less one.
``coverage``: the share of held-out outcomes inside skembed's central intervals.
"""

import argparse
import sys

import numpy as np
import pandas as pd
from peers import PEERS
from report import header, write
from scipy.stats import norm
from sklearn.preprocessing import TargetEncoder
from synthetic import crossed_bayes, crossed_tokens, many_tokens, zipf_tokens
from tables import Table, load, split

LEVELS = (0.5, 0.8, 0.9, 0.95)
RARE = 20  # a token in fewer training rows is rare

EFFECTS = {
    "1,000 tokens, Zipf, noise sd 2": lambda seed: zipf_tokens(2.0, seed),
    "1,000 tokens, Zipf, noise sd 10": lambda seed: zipf_tokens(10.0, seed),
    "1,000 tokens, Zipf, noise sd 20": lambda seed: zipf_tokens(20.0, seed),
    "100,000 tokens, 5 rows each, noise sd 10": lambda seed: many_tokens(10.0, seed),
}
CROSSED = {
    "250 x 250 tokens, 10,000 rows": 10_000,
    "250 x 250 tokens, 40,000 rows": 40_000,
}
CROSSED_PEERS = ("linear", "target_hist_gb", "hist_gb", "lightgbm")
# Public tables of the coverage, and the column whose tokens are common or rare.
COVERED = {
    "movielens100k": "movie_id",
    "lahman_salary": "playerID",
    "hotel_rates": "agent",
}


def fit_skembed(X, y, seed):
    """Fit skembed's default regressor."""
    from skembed import EmbeddingRegressor

    return EmbeddingRegressor(random_state=seed).fit(X, y)


def target_encoding(task, seed):
    """Predict each token's effect with its encoding: empirical Bayes shrinkage."""
    encoder = TargetEncoder(smooth="auto", target_type="continuous")
    encoder.fit(task.tokens[:, None], task.y)
    return encoder.transform(np.arange(len(task.effects))[:, None])[:, 0]


def plain_keras(task, seed):
    """Predict each token's effect with an embedding, dense layers and rmsprop."""
    import keras

    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Embedding(len(task.effects), 4)]
    layers += [
        keras.layers.Dense(units, activation)
        for units, activation in [(10, "relu"), (8, None), (6, None), (4, None)]
    ]
    network = keras.Sequential([*layers, keras.layers.Dense(1)])
    network.compile("rmsprop", "mse")
    batch_size = max(1_000, len(task.y) // 50)
    network.fit(task.tokens, task.y, batch_size=batch_size, epochs=100, verbose=0)
    return network.predict(np.arange(len(task.effects)), verbose=0)[:, 0]


def skembed_effects(task, seed):
    """Predict each token's effect with skembed's defaults."""
    model = fit_skembed(task.tokens[:, None], task.y, seed)
    return model.predict(np.arange(len(task.effects))[:, None])


EFFECT_METHODS = {
    "Bayes-optimal": lambda task, seed: task.bayes,
    "skembed": skembed_effects,
    "TargetEncoder": target_encoding,
    "plain Keras": plain_keras,
}


def run_effects(seeds, methods):
    """Return one result per task, method and seed."""
    results = []
    for name, make in EFFECTS.items():
        for seed in seeds:
            task = make(seed)
            for method in methods:
                error = task.error(EFFECT_METHODS[method](task, seed))
                results.append(_result("effects", name, method, seed, error))
    return results


def run_crossed(seeds, methods):
    """Return one result per task, method and seed."""
    results = []
    for name, n_rows in CROSSED.items():
        for seed in seeds:
            task = crossed_tokens(n_rows, seed)
            columns = ["left", "right"]
            X = pd.DataFrame(np.vstack([task.X, task.X_test]), columns=columns)
            X = X.astype(str).astype(object)
            y = np.concatenate([task.y, task.y_test])
            table = Table(name, X, y, columns, [], "regression", y, len(y))
            train, test = np.arange(n_rows), np.arange(n_rows, len(y))
            for method in methods:
                if method == "truth":
                    predicted = task.truth
                elif method == "Bayes-optimal":
                    predicted = crossed_bayes(task, seed)
                elif method == "skembed":
                    model = fit_skembed(X.iloc[train], y[train], seed)
                    predicted = model.predict(X.iloc[test])
                else:
                    predicted, _ = PEERS[method][0](table, train, test, seed)
                excess = task.excess(predicted)
                results.append(_result("crossed", name, method, seed, excess))
    return results


def covered(model, X, y, counts):
    """Return the coverage of each level, for rows of common and of rare tokens.

    Of ``predict_interval``, and of the normal density that has the mean and the
    standard deviation of ``predict(return_std=True)``.
    """
    mean, std = model.predict(X, return_std=True)
    inside = {"interval": [], "normal": []}
    for level in LEVELS:
        lower, upper = model.predict_interval(X, level).T
        inside["interval"].append((lower <= y) & (y <= upper))
        inside["normal"].append(np.abs(y - mean) <= norm.ppf((1 + level) / 2) * std)
    found = {}
    for kind, rows in (("common", counts >= RARE), ("rare", counts < RARE)):
        if rows.any():
            for way, hits in inside.items():
                shares = [float(hit[rows].mean()) for hit in hits]
                found[kind, way] = (int(rows.sum()), shares)
    return found


def run_coverage(seeds):
    """Return one result per task, level, kind of token and seed."""
    results = []

    def add(name, seed, found):
        for (kind, way), (n_rows, shares) in found.items():
            task = f"{name}, {kind} tokens, {way}"
            for level, share in zip(LEVELS, shares, strict=True):
                result = _result("coverage", task, f"{level:.0%}", seed, share)
                results.append(result | {"n_rows": n_rows})

    for seed in seeds:
        for name, make in EFFECTS.items():
            task = make(seed)
            tokens, y = task.new_rows(20_000, seed)
            model = fit_skembed(task.tokens[:, None], task.y, seed)
            found = covered(model, tokens[:, None], y, task.counts[tokens])
            add(name, seed, found)
        for name, column in COVERED.items():
            table = load(name)
            train, test = split(table, seed)
            model = fit_skembed(table.X.iloc[train], table.y[train], seed)
            rows = table.X.iloc[train][column].value_counts()
            counts = table.X.iloc[test][column].map(rows).fillna(0).to_numpy()
            found = covered(model, table.X.iloc[test], table.y[test], counts)
            add(f"{name} ({column})", seed, found)
    return results


def _result(part, task, method, seed, value):
    print(part, task, method, seed, f"{value:.4f}", file=sys.stderr, flush=True)
    return {"part": part, "task": task, "method": method, "seed": seed, "value": value}


def rows_of(results, methods, digits):
    """One row per task: mean and standard deviation over the seeds."""
    rows = []
    for task in dict.fromkeys(r["task"] for r in results):
        row = [task]
        for method in methods:
            values = [
                r["value"]
                for r in results
                if (r["task"], r["method"]) == (task, method)
            ]
            sd = f" ({np.std(values, ddof=1):.{digits}f})" if len(values) > 1 else ""
            row.append(f"{np.mean(values):.{digits}f}{sd}" if values else "-")
        rows.append(row)
    return rows


def main():
    """Read the arguments, run, print."""
    known = ("effects", "crossed", "coverage")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=known, default=list(known))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--without", nargs="+", default=[], help="methods of effects and crossed"
    )
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()

    effect_methods = [m for m in EFFECT_METHODS if m not in args.without]
    crossed_methods = ["truth", "Bayes-optimal", "skembed", *CROSSED_PEERS]
    crossed_methods = [m for m in crossed_methods if m not in args.without]
    levels = [f"{level:.0%}" for level in LEVELS]
    seeds = ", ".join(map(str, args.seeds))
    parts, results = [], []
    if "effects" in args.parts:
        found = run_effects(args.seeds, effect_methods)
        title = (
            "Mean squared error of the effects of tokens (their sd is 10), mean (sd) "
            f"over seeds {seeds}. Bayes-optimal knows both variances."
        )
        rows = rows_of(found, effect_methods, 3)
        parts.append((title, ["task", *effect_methods], rows))
        results += found
    if "crossed" in args.parts:
        found = run_crossed(args.seeds, crossed_methods)
        title = (
            "Two crossed columns, interaction of rank 3, noise sd 1: squared error on "
            "test rows over that of the noiseless truth, less one, mean (sd) over "
            f"seeds {seeds}. Bayes-optimal knows the rank and all variances."
        )
        rows = rows_of(found, crossed_methods, 3)
        heads = [PEERS[m][1] if m in PEERS else m for m in crossed_methods]
        parts.append((title, ["task", *heads], rows))
        results += found
    if "coverage" in args.parts:
        found = run_coverage(args.seeds)
        title = (
            "Share of held-out outcomes inside skembed's central intervals, mean (sd) "
            f"over seeds {seeds}; rare tokens have fewer than {RARE} training rows. "
            "Interval: predict_interval; normal: mean and sd of predict(return_std)."
        )
        rows = rows_of(found, levels, 3)
        for row in rows:
            n_rows = [r["n_rows"] for r in found if r["task"] == row[0]]
            row.insert(1, f"{np.mean(n_rows):,.0f}")
        parts.append((title, ["task", "test rows", *levels], rows))
        results += found
    packages = ["skembed", "tensorflow", "keras", "scikit-learn", "lightgbm", "numpy"]
    write(args.out, header(packages), parts, results)


if __name__ == "__main__":
    main()

"""Print how well and how fast tables of many numbers are predicted.

    python benchmarks/wide.py --numbers 20 157 --seeds 0

Two columns of tokens with Zipf counts and many numbers, correlated, some of them skewed
or rounded, of which ten have an effect, two of them together; noise of sd 1. Every
method has one thread, so that processor time is that of its own work.
"""

import argparse
import os
import time

# Before TensorFlow and OpenMP read them.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from report import header, write
from sklearn.metrics import r2_score

N_ROWS, TEST_ROWS, SIZES, MATTER = 70_700, 20_000, (38_000, 1_700), 10


def make(seed, n_numbers, n_rows=N_ROWS):
    """Return a table, its outcome, and what of it is no noise."""
    rng, n = np.random.default_rng(seed), n_rows + TEST_ROWS
    columns, f = {}, np.zeros(n)
    for k, size in enumerate(SIZES):
        share = np.arange(1.0, size + 1) ** -0.8
        token = rng.choice(size, n, p=share / share.sum())
        f += rng.normal(0, 0.6, size)[token]
        columns[f"token {k}"] = pd.Categorical(token.astype(str))
    common = rng.normal(size=(n, 12)) @ rng.normal(0, 0.5, (12, n_numbers))
    numbers = common + rng.normal(size=(n, n_numbers))
    numbers /= numbers.std(axis=0)
    chosen = rng.choice(n_numbers, MATTER, replace=False)
    for j, z in enumerate(numbers[:, chosen].T):
        shapes = [np.sin(2 * z), np.abs(z), z, np.sign(z - 0.5), z**2 / 2]
        f += 0.5 * shapes[j % 5]
    f += 0.5 * numbers[:, chosen[0]] * numbers[:, chosen[1]]
    numbers[:, ::3] = np.exp(0.5 * numbers[:, ::3])
    numbers[:, 1::7] = np.round(2 * numbers[:, 1::7])
    for j in range(n_numbers):
        columns[f"number {j}"] = numbers[:, j]
    return pd.DataFrame(columns), f + rng.normal(size=n), f


def skembed(seed):
    """Return skembed with its defaults."""
    from skembed import EmbeddingRegressor

    return EmbeddingRegressor(random_state=seed)


def lightgbm(seed):
    """Return LightGBM with its own categories and 500 trees."""
    from lightgbm import LGBMRegressor

    return LGBMRegressor(
        n_estimators=500,
        learning_rate=0.05,
        random_state=seed,
        n_jobs=1,
        verbose=-1,
    )


METHODS = {"skembed": skembed, "LightGBM": lightgbm}


def run(n_numbers, seed):
    """Return R2 and seconds by method, and the R2 that nothing exceeds."""
    X, y, f = make(seed, n_numbers)
    train, test = slice(N_ROWS), slice(N_ROWS, None)
    found = {"R2 of the truth": float(r2_score(y[test], f[test]))}
    for name, method in METHODS.items():
        model = method(seed)
        if name == "skembed":  # imports and the first trace are no part of the ratio
            model.fit(X[:500], y[:500])
        began = time.process_time()
        model.fit(X[train], y[train])
        found[f"{name}, seconds"] = time.process_time() - began
        found[f"{name}, R2"] = float(r2_score(y[test], model.predict(X[test])))
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--numbers", nargs="+", type=int, default=[20, 60, 157])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    lines, results = [], []
    for n_numbers in args.numbers:
        runs = [run(n_numbers, seed) for seed in args.seeds]
        mean = {key: np.mean([r[key] for r in runs]) for key in runs[0]}
        ratio = mean["skembed, seconds"] / mean["LightGBM, seconds"]
        quality = [mean[f"{name}, R2"] for name in METHODS]
        quality.append(mean["R2 of the truth"])
        lines.append([str(n_numbers), *(f"{q:.3f}" for q in quality), f"{ratio:.1f}"])
        results += [
            {"numbers": n_numbers, "seed": seed} | r
            for seed, r in zip(args.seeds, runs, strict=True)
        ]
    seeds = ", ".join(map(str, args.seeds))
    title = (
        f"R2 on {TEST_ROWS:,} new rows, and the processor time of a fit over that of "
        f"LightGBM: means over seeds {seeds}; {N_ROWS:,} rows to learn from."
    )
    headings = ["numbers", *METHODS, "the truth", "time"]
    used = ["lightgbm", "numpy", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), [(title, headings, lines)], results)


if __name__ == "__main__":
    main()

"""Print how well methods know by how much they are wrong, row by row.

    python benchmarks/uncertainty.py --tables hotel_rates scorecard --seeds 0

On the tables with a number as outcome, split at random and by time: the negative
log-likelihood and the CRPS of a normal density with the predicted mean and standard
deviation, the interval score of 80 % intervals (their mean length, and ten times by how
much outcomes lie outside), and the share that they hold. By time also for skembed once
calibrated on the first tenth of the test rows, all methods then on the other nine.
"""

import argparse
import time

import numpy as np
from peers import CATBOOST
from report import header, write
from scipy.stats import norm
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder
from tables import load, split
from threadpoolctl import threadpool_limits

TABLES = ["hotel_rates", "lahman_salary", "scorecard", "movielens100k", "flights_delay"]
LEVELS = (0.1, 0.9)


def skembed(table, train, tests, seed):
    """Return skembed with its defaults, and calibrated on the first test rows."""
    from skembed import EmbeddingRegressor

    model = EmbeddingRegressor(random_state=seed).fit(
        table.X.iloc[train], table.y[train]
    )
    X = table.X.iloc[tests[1]]

    def now():
        mean, std = model.predict(X, return_std=True)
        return mean, std, model.predict_interval(X, 0.8)

    found = {"skembed": now()}
    if len(tests[0]):
        model.calibrate(table.X.iloc[tests[0]], table.y[tests[0]])
        found["skembed, calibrated"] = now()
    return found


def catboost(table, train, tests, seed):
    """Return CatBoost with the normal log-likelihood as its loss."""
    from catboost import CatBoostRegressor

    fit, stop = train_test_split(train, test_size=0.1, random_state=seed)
    X = table.X.fillna(dict.fromkeys(table.categorical, "missing"))
    model = CatBoostRegressor(
        loss_function="RMSEWithUncertainty",
        cat_features=table.categorical,
        random_seed=seed,
        **CATBOOST,
    )
    model.fit(X.iloc[fit], table.y[fit], eval_set=(X.iloc[stop], table.y[stop]))
    mean, variance = model.predict(X.iloc[tests[1]]).T
    return {"CatBoost": normal(mean, np.sqrt(variance))}


def encoded(table, model, seed):
    """Return a model behind scikit-learn's target encoder."""
    folds = KFold(5, shuffle=True, random_state=seed)
    encoder = TargetEncoder(target_type="continuous", cv=folds)
    before = make_column_transformer(
        (encoder, table.categorical), ("passthrough", table.numeric)
    )
    return make_pipeline(before, model)


def quantiles(table, train, tests, seed):
    """Return boosted trees for two quantiles and the mean."""
    X, ends = table.X.iloc[tests[1]], []
    settings = {"max_iter": 500, "early_stopping": True, "random_state": seed}
    for loss in (None, *LEVELS):
        model = HistGradientBoostingRegressor(**settings)
        if loss is not None:
            model.set_params(loss="quantile", quantile=loss)
        model = encoded(table, model, seed).fit(table.X.iloc[train], table.y[train])
        ends.append(model.predict(X))
    mean, low, high = ends
    # Two quantiles that cross are no density: it has no likelihood.
    std = np.full(len(mean), np.nan)
    return {"quantile HistGB": (mean, std, np.stack([low, high], axis=1))}


def ngboost(table, train, tests, seed):
    """Return NGBoost with normal densities."""
    from ngboost import NGBRegressor
    from sklearn.impute import SimpleImputer

    fit, stop = train_test_split(train, test_size=0.1, random_state=seed)
    before = encoded(table, SimpleImputer(), seed)
    Z = before.fit_transform(table.X.iloc[fit], table.y[fit])
    model = NGBRegressor(n_estimators=500, verbose=False, random_state=seed)
    stop_at = before.transform(table.X.iloc[stop]), table.y[stop]
    model.fit(Z, table.y[fit], *stop_at, early_stopping_rounds=30)
    found = model.pred_dist(before.transform(table.X.iloc[tests[1]])).params
    return {"NGBoost": normal(found["loc"], found["scale"])}


METHODS = {
    "skembed": skembed,
    "catboost": catboost,
    "quantiles": quantiles,
    "ngboost": ngboost,
}


def normal(mean, std):
    """Return mean, standard deviation and the 80 % interval of normal densities."""
    ends = [mean + norm.ppf(level) * std for level in LEVELS]
    return mean, std, np.stack(ends, axis=1)


def interval_score(y, interval):
    """Return the mean score of 80 % intervals: width, and what is outside times ten."""
    low, high = interval.T
    outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return np.mean(high - low + 2 / (1 - 0.8) * outside)


def scores(y, mean, std, interval):
    """Return R2 and what the table lists."""
    z = (y - mean) / std
    low, high = interval.T
    crps = z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi)
    return {
        "R2": 1 - np.mean((y - mean) ** 2) / np.var(y),
        "NLL": np.mean(0.5 * z**2 + np.log(std)) + 0.5 * np.log(2 * np.pi),
        "CRPS": np.mean(std * crps),
        "interval score": interval_score(y, interval),
        "80 % hold": 100 * np.mean((low <= y) & (y <= high)),
    }


def run(name, seed, by_time, methods):
    """Return the scores by method on one split of one table."""
    table = load(name)
    train, test = split(table, seed, by_time)
    n = len(test) // 10 if by_time else 0
    found = {}
    for method in methods:
        began = time.perf_counter()
        with threadpool_limits(None if method == "skembed" else 1):
            predicted = METHODS[method](table, train, (test[:n], test[n:]), seed)
        for label, one in predicted.items():
            found[label] = scores(table.y[test[n:]], *one)
            how = "by time" if by_time else "random"
            line = {key: round(float(value), 4) for key, value in found[label].items()}
            print(name, how, seed, label, line, f"{time.perf_counter() - began:.0f} s")
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=TABLES, choices=TABLES)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    parts, results = [], []
    for by_time in (False, True):
        lines = []
        for name in args.tables:
            seeds = args.seeds[:1] if by_time else args.seeds
            runs = [run(name, seed, by_time, args.methods) for seed in seeds]
            for label in runs[0]:
                mean = {k: np.mean([r[label][k] for r in runs]) for k in runs[0][label]}
                digits = {"80 % hold": 1}
                cells = [
                    f"{value:.{digits.get(k, 3)}f}" if np.isfinite(value) else ""
                    for k, value in mean.items()
                ]
                lines.append([name, label, *cells])
                results.append({"table": name, "by_time": by_time, label: mean})
        title = "Split by time." if by_time else f"Random splits, seeds {args.seeds}."
        parts.append((title, ["table", "method", *mean], lines))
    used = ["catboost", "ngboost", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), parts, results)


if __name__ == "__main__":
    main()

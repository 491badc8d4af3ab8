"""Print how well and how fast each method predicts the public tables.

    python benchmarks/quality.py --methods skembed linear lightgbm --seeds 0 1 2

Every peer's figures are kept under ``benchmarks/.cache/`` by table, method, seed and
package versions; skembed's only with ``--cache``.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from peers import PEERS
from report import header, versions, write
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from tables import TABLES, load, split

CACHE = Path(__file__).parent / ".cache"
# Metric -> (heading, decimals), by task.
METRICS = {
    "regression": {"r2": ("R2", 3)},
    "classification": {
        "auc": ("AUC", 3),
        "log_loss": ("log-loss", 3),
        "ece": ("ECE", 3),
    },
}


def skembed(table, train, test, seed):
    """Fit skembed with its defaults: nothing is tuned."""
    from skembed import EmbeddingClassifier, EmbeddingRegressor

    regression = table.task == "regression"
    estimator = EmbeddingRegressor if regression else EmbeddingClassifier
    model = estimator(random_state=seed)
    wall, cpu = time.perf_counter(), time.process_time()
    model.fit(table.X.iloc[train], table.y[train])
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    X = table.X.iloc[test]
    predicted = model.predict(X) if regression else model.predict_proba(X)[:, 1]
    return predicted, seconds


METHODS = {
    "skembed": (skembed, "skembed", ["skembed", "tensorflow", "keras"]),
    **PEERS,
}


def calibration_error(y, probability, n_bins=15):
    """Mean gap of predicted and observed share over bins of equal count."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        len(rows) * abs(y[rows].mean() - probability[rows].mean())
        for rows in np.array_split(order, n_bins)
    ]
    return float(np.sum(gaps) / len(y))


def measure(task, y, predicted):
    """Return the metrics of one task as a dict."""
    if task == "regression":
        return {"r2": float(r2_score(y, predicted))}
    return {
        "auc": float(roc_auc_score(y, predicted)),
        "log_loss": float(log_loss(y, predicted)),
        "ece": calibration_error(y, np.asarray(predicted, dtype=np.float64)),
    }


def cached(table, method, seed, by_time):
    """Return the file of one result, and what a peer left there (or None)."""
    used = versions(METHODS[method][2])
    stem = f"{table}-{method}-{seed}{'-time' if by_time else ''}-"
    key = hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:8]
    path = CACHE / f"{stem}{key}.json"
    # A peer that lives in an environment of its own is read whatever its version.
    files = [path] if used else sorted(CACHE.glob(f"{stem}*.json"))
    known = [json.loads(p.read_text(encoding="utf-8")) for p in files if p.exists()]
    return path, (known[-1] if known else None)


def run(table, method, seed, by_time):
    """Fit one method on one split; return a json-able dict."""
    function, _, packages = METHODS[method]
    train, test = split(table, seed, by_time)
    predicted, (wall, cpu) = function(table, train, test, seed)
    return {
        "table": table.name,
        "method": method,
        "seed": seed,
        "by_time": by_time,
        "task": table.task,
        "metrics": measure(table.task, table.y[test], predicted),
        "fit_seconds": wall,
        "fit_cpu_seconds": cpu,
        "versions": versions(packages),
    }


def collect(args):
    """Return the results asked for, from the cache or by running them."""
    results = []
    CACHE.mkdir(exist_ok=True)
    for name in args.tables:
        table = None
        for seed in args.seeds:
            for method in args.methods:
                path, result = cached(name, method, seed, args.by_time)
                if result is None or (method == "skembed" and not args.cache):
                    table = table or load(name)
                    try:
                        result = run(table, method, seed, args.by_time)
                    except ModuleNotFoundError as error:
                        print(f"{method} left out: {error}", file=sys.stderr)
                        continue
                    if method != "skembed" or args.cache:
                        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
                    print(
                        name,
                        method,
                        seed,
                        {k: round(v, 4) for k, v in result["metrics"].items()},
                        f"{result['fit_seconds']:.1f} s",
                        file=sys.stderr,
                        flush=True,
                    )
                results.append(result)
    return results


def quality_rows(results, tables, methods):
    """One row per table and metric: mean and standard deviation over the seeds."""
    rows = []
    for name in tables:
        own = [r for r in results if r["table"] == name]
        for metric, (heading, digits) in METRICS[own[0]["task"]].items() if own else ():
            row = [name, heading]
            for method in methods:
                values = [r["metrics"][metric] for r in own if r["method"] == method]
                cell = f"{np.mean(values):.{digits}f}" if values else "-"
                if len(values) > 1:
                    cell += f" ({np.std(values, ddof=1):.{digits}f})"
                row.append(cell)
            rows.append(row)
    return rows


def seconds_rows(results, tables, methods):
    """One row per table: median seconds of a fit, of the processor."""
    rows = []
    for name in tables:
        row = [name]
        for method in methods:
            values = [
                r["fit_cpu_seconds"]
                for r in results
                if r["table"] == name and r["method"] == method
            ]
            row.append(f"{np.median(values):.1f}" if values else "-")
        rows.append(row)
    return rows


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--by-time", action="store_true", help="train on the past")
    parser.add_argument("--cache", action="store_true", help="keep skembed's too")
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    # Read when TensorFlow is imported, which happens in the first fit of skembed.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

    results = collect(args)
    names = {p for m in args.methods for p in METHODS[m][2]}
    headings = [METHODS[m][1] for m in args.methods]
    how = "split by time" if args.by_time else "random split"
    seeds = ", ".join(map(str, args.seeds))
    parts = [
        (
            f"Quality on held-out rows: mean (sd) over seeds {seeds}, {how}.",
            ["table", "metric", *headings],
            quality_rows(results, args.tables, args.methods),
        ),
        (
            "Seconds of a fit: median, processor time, one thread.",
            ["table", *headings],
            seconds_rows(results, args.tables, args.methods),
        ),
    ]
    first_line = header(sorted({"numpy", "pandas", "scikit-learn"} | names))
    write(args.out, first_line, parts, results)


if __name__ == "__main__":
    main()

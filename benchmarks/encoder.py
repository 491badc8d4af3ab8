"""Print what vectors and target means are worth to other models.

    python benchmarks/encoder.py --tables lahman_salary --seeds 0 1 2

In the form of the table of results of Guo & Berkhahn (2016, arXiv:1604.06737): one row
a model, one column a way to hand it the tokens. The numbers are passed through, filled
with their median and scaled for the models that need it. Figures are kept under
``benchmarks/.cache/``; those of skembed only with ``--cache``.
"""

import argparse
import json
import os
import sys
import time

import numpy as np
from peers import _hist_gb
from quality import CACHE, METRICS, measure
from report import header, versions, write
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from tables import TABLES, load, split
from threadpoolctl import threadpool_limits

ENCODERS = {"target": "TargetEncoder", "skembed": "EmbeddingEncoder"}
MODELS = {"hist_gb": "HistGB", "linear": "ridge / logistic", "knn": "10 neighbours"}
MAX_NEIGHBOUR_ROWS = 20_000


def encoder_for(table, name, seed):
    """Return a column transformer: tokens encoded, numbers passed on."""
    regression = table.task == "regression"
    if name == "skembed":
        from skembed import EmbeddingEncoder

        return EmbeddingEncoder(
            categorical_features=table.categorical,
            remainder="passthrough",
            target_type="continuous" if regression else "binary",
            random_state=seed,
        )
    folds = KFold if regression else StratifiedKFold
    target = TargetEncoder(
        target_type="continuous" if regression else "binary",
        cv=folds(5, shuffle=True, random_state=seed),
    )
    return make_column_transformer(
        (target, table.categorical), ("passthrough", table.numeric)
    )


def model_for(table, name, seed):
    """Return the model behind the encoder."""
    regression = table.task == "regression"
    if name == "hist_gb":
        return _hist_gb(table.task, seed)
    if name == "linear":
        model = Ridge() if regression else LogisticRegression(max_iter=300)
    else:
        model = (KNeighborsRegressor if regression else KNeighborsClassifier)(10)
    return make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), model)


def run(table, encoder, seed):
    """Encode once, fit every model; return one result a model."""
    train, test = split(table, seed)
    results = []
    with threadpool_limits(1):
        wall, cpu = time.perf_counter(), time.process_time()
        fitted = encoder_for(table, encoder, seed)
        Z = np.asarray(fitted.fit_transform(table.X.iloc[train], table.y[train]))
        seconds = time.perf_counter() - wall, time.process_time() - cpu
        Z_test = np.asarray(fitted.transform(table.X.iloc[test]))
        for name in MODELS:
            rows = np.arange(len(train))
            if name == "knn" and len(rows) > MAX_NEIGHBOUR_ROWS:
                rows = np.random.default_rng(seed).choice(rows, MAX_NEIGHBOUR_ROWS)
            model = model_for(table, name, seed).fit(Z[rows], table.y[train][rows])
            if table.task == "regression":
                predicted = model.predict(Z_test)
            else:
                predicted = model.predict_proba(Z_test)[:, 1]
            results.append(
                {
                    "table": table.name,
                    "encoder": encoder,
                    "model": name,
                    "seed": seed,
                    "task": table.task,
                    "metrics": measure(table.task, table.y[test], predicted),
                    "encode_seconds": seconds[0],
                    "encode_cpu_seconds": seconds[1],
                    "versions": versions(["scikit-learn", "skembed"]),
                }
            )
    return results


def collect(args):
    """Return the results asked for, from the cache or by running them."""
    results = []
    CACHE.mkdir(exist_ok=True)
    for name in args.tables:
        table = None
        for seed in args.seeds:
            for encoder in args.encoders:
                path = CACHE / f"encoder-{name}-{encoder}-{seed}.json"
                if path.exists() and (encoder != "skembed" or args.cache):
                    results += json.loads(path.read_text(encoding="utf-8"))
                    continue
                table = table or load(name)
                found = run(table, encoder, seed)
                if encoder != "skembed" or args.cache:
                    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
                for r in found:
                    shown = {k: round(v, 4) for k, v in r["metrics"].items()}
                    print(
                        name,
                        encoder,
                        r["model"],
                        seed,
                        shown,
                        f"{r['encode_seconds']:.1f} s",
                        file=sys.stderr,
                        flush=True,
                    )
                results += found
    return results


def table_rows(results, name, encoders):
    """One row a model and metric: mean and standard deviation over the seeds."""
    own = [r for r in results if r["table"] == name]
    rows = []
    for model, heading in MODELS.items():
        for metric, (label, digits) in METRICS[own[0]["task"]].items():
            row = [name, heading, label]
            for encoder in encoders:
                values = [
                    r["metrics"][metric]
                    for r in own
                    if r["model"] == model and r["encoder"] == encoder
                ]
                cell = f"{np.mean(values):.{digits}f}" if values else "-"
                if len(values) > 1:
                    cell += f" ({np.std(values, ddof=1):.{digits}f})"
                row.append(cell)
            rows.append(row)
    return rows


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument(
        "--encoders", nargs="+", choices=ENCODERS, default=list(ENCODERS)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--cache", action="store_true", help="keep skembed's too")
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")

    results = collect(args)
    rows = [r for t in args.tables for r in table_rows(results, t, args.encoders)]
    seeds = ", ".join(map(str, args.seeds))
    headings = ["table", "model", "metric", *(ENCODERS[e] for e in args.encoders)]
    title = f"Held-out rows: mean (sd) over seeds {seeds}, random split."
    first_line = header(["numpy", "pandas", "scikit-learn", "skembed", "tensorflow"])
    write(args.out, first_line, [(title, headings, rows)], results)


if __name__ == "__main__":
    main()

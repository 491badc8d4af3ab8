"""Print what slopes by token and crossed columns do where they are, and where not.

    python benchmarks/structure.py

Slopes: squared error on new rows, noise included, over that of the predictor that knows
every variance. Crosses: log-loss on a table like requests of access, beside the best
that its rows allow, and the figures of the public tables without and with what "auto"
finds.
"""

import argparse

import numpy as np
import pandas as pd
from peers import catboost, lightgbm, linear
from quality import measure
from report import header, write
from sklearn.metrics import log_loss
from synthetic import ACCESS_PAIRS, access, access_optimum, growth
from tables import TABLES, Table, load, split

# Persons, rows of each, spread of slopes, noise.
SHAPES = [
    (2_000, 6, 0.5, 0.5),
    (400, 8, 0.5, 0.5),
    (150, 20, 0.2, 1.0),
    (300, 5, 0.5, 1.0),
]
PEERS = {"LightGBM": lightgbm, "CatBoost": catboost}


def _skembed(task, **parameters):
    from skembed import EmbeddingClassifier, EmbeddingRegressor

    kind = EmbeddingRegressor if task == "regression" else EmbeddingClassifier
    return kind(**parameters)


def _table(name, train, test, task):
    """Rows of a synthetic table as the other methods take them, and their places."""
    X = pd.concat([train[0], test[0]], ignore_index=True)
    tokens = [c for c in X if not pd.api.types.is_float_dtype(X[c])]
    X[tokens] = X[tokens].astype(object)
    y, n = np.concatenate([train[1], test[1]]), len(train[1])
    numbers = [c for c in X if c not in tokens]
    made = Table(name, X, y, tokens, numbers, task, np.arange(len(y)), len(y))
    return made, np.arange(n), np.arange(n, len(y))


def slopes(seeds):
    """Risks by shape and method, those of who knows every variance being 1."""
    rows = []
    for shape in SHAPES:
        risks = {}
        for seed in seeds:
            train, test, best = growth(shape, seed)
            noise = shape[3] ** 2
            least = np.mean(np.square(best - test[2])) + noise
            found = {}
            for said, more in (
                ("defaults", {}),
                ("varying_slopes", {"varying_slopes": {"person": "time"}}),
            ):
                model = _skembed("regression", random_state=seed, **more)
                found[said] = model.fit(*train[:2]).predict(test[0])
            table = _table("growth", train, test, "regression")
            for said, peer in PEERS.items():
                found[said] = peer(*table, seed)[0]
            for said, predicted in found.items():
                risk = (np.mean(np.square(predicted - test[2])) + noise) / least
                risks.setdefault(said, []).append(risk)
        print(shape, {said: np.round(r, 3).tolist() for said, r in risks.items()})
        rows.append((shape, risks))
    return rows


def requests(seeds):
    """Log-losses on the table of access requests, by method."""
    losses = {}
    for seed in seeds:
        train, test = access(seed)
        named = [(f"c{a}", f"c{b}") for a, b in ACCESS_PAIRS]
        found = {
            "the true probabilities": test[2],
            "the best that these rows allow": access_optimum(train, test, seed),
        }
        for said, crosses in (
            ("skembed, no crosses", None),
            ("skembed, crosses='auto'", "auto"),
            ("skembed, the four pairs named", named),
        ):
            model = _skembed("classification", random_state=seed, crosses=crosses)
            found[said] = model.fit(*train[:2]).predict_proba(test[0])[:, 1]
        table = _table("access", train, test, "classification")
        for said, peer in {**PEERS, "one-hot + logistic regression": linear}.items():
            found[said] = peer(*table, seed)[0]
        for said, predicted in found.items():
            losses.setdefault(said, []).append(log_loss(test[1], predicted))
        print({said: np.round(r, 4).tolist() for said, r in losses.items()})
    return losses


def public(seed):
    """R2 (log-loss of classes) of the public tables without and with crosses."""
    rows = []
    for name in TABLES:
        table = load(name)
        for by_time in False, True:
            train, test = split(table, seed, by_time)
            X, y = table.X.iloc, table.y
            figures, chosen = [], []
            for crosses in None, "auto":
                model = _skembed(
                    table.task,
                    categorical_features=table.categorical,
                    crosses=crosses,
                    random_state=seed,
                ).fit(X[train], y[train])
                if table.task == "regression":
                    predicted = model.predict(X[test])
                else:
                    predicted = model.predict_proba(X[test])[:, 1]
                found = measure(table.task, y[test], predicted)
                figures.append(found.get("r2", found.get("log_loss")))
                chosen = model.crosses_
            how = "by time" if by_time else "random"
            print(name, how, np.round(figures, 4), len(chosen))
            rows.append((name, how, figures, len(chosen)))
    return rows


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = ["slopes", "requests", "public"]
    parser.add_argument("--parts", nargs="+", default=parts, choices=parts)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    written, results = [], []
    if "slopes" in args.parts:
        rows = slopes(args.seeds)
        headings = ["persons, rows of each, slopes, noise", *rows[0][1]]
        cells = [
            [str(shape)[1:-1], *(f"{np.mean(r):.3f}" for r in risks.values())]
            for shape, risks in rows
        ]
        written.append(("Slopes by person", headings, cells))
        results += [{"shape": shape, "risks": risks} for shape, risks in rows]
    if "requests" in args.parts:
        losses = requests(args.seeds)
        cells = [[said, f"{np.mean(r):.4f}"] for said, r in losses.items()]
        written.append(("Requests of access", ["method", "log-loss"], cells))
        results.append({"requests": losses})
    if "public" in args.parts:
        rows = public(args.seeds[0])
        cells = [
            [name, how, *(f"{one:.4f}" for one in figures), str(n)]
            for name, how, figures, n in rows
        ]
        headings = ["table", "split", "no crosses", "crosses='auto'", "crosses found"]
        written.append(("Public tables: R2, or log-loss of classes", headings, cells))
        results += [dict(zip(headings, row, strict=True)) for row in cells]
    used = ["catboost", "lightgbm", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), written, results)


if __name__ == "__main__":
    main()

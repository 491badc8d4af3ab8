"""Print how well rows of tokens that fit has not seen are predicted.

    python benchmarks/new_tokens.py

A fifth of the schools, counties or films is left out with all of its rows. What is
known of them (the authority, the state, genres and year) is said by `hierarchy` or
`token_features`, or is in plain columns. R2, and the mean score of 80 % intervals
(their width, and ten times how far outcomes are outside; smaller is better).
"""

import argparse

import numpy as np
import pandas as pd
from report import header, write
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tables import load, rdataset
from uncertainty import interval_score

COUNTY = (
    "year density lpopul perc1019 perc2029 percblack percmale rpcincmaint "
    "rpcpersinc rpcunemins"
).split()
OF_RATINGS = "user_id movie_id zip_code occupation gender age timestamp".split()


def schools():
    """Scores of pupils: columns, outcome, the column of schools and what it is in."""
    frame = rdataset("mlmRev", "Chem97")
    X = frame[["school", "lea", "gender"]].astype(str)
    X[["age", "gcsescore"]] = frame[["age", "gcsescore"]].astype(float)
    return X, frame["score"].to_numpy(float), "school", ["lea"]


def counties():
    """Logarithms of rates of murders by county and year, and counties in states."""
    frame = rdataset("wooldridge", "countymurders")
    X = frame[["countyid", "statefips"]].astype(str)
    X[COUNTY] = frame[COUNTY].astype(float)
    return X, np.log1p(frame["murdrate"].to_numpy(float)), "countyid", ["statefips"]


def films():
    """Ratings of films, and what is known of films: genres and year."""
    table = load("movielens100k")
    known = [name for name in table.X if name not in OF_RATINGS]
    return table.X, np.asarray(table.y, float), "movie_id", known


def said(X, name, known, as_features):
    """Settings of skembed -> the columns that it is given, and its parameters."""
    if as_features:
        frame = X.groupby(name)[known].first()
        rest = X.drop(columns=known)
        found = {"token_features": (rest, {"token_features": {name: frame}})}
    else:
        found = {"hierarchy": (X, {"hierarchy": {name: known}})}
    return {**found, "plain columns": (X, {}), "without": (X.drop(columns=known), {})}


def encoded(X, y, at, test, name, known):
    """Rows as category_encoders' TargetEncoder has them, parents as its hierarchy."""
    from category_encoders import TargetEncoder

    tokens = [one for one in X if X[one].dtype.kind not in "fiub"]
    (parent,) = known
    children = X.groupby(parent)[name].unique()
    within = {name: {p: tuple(own) for p, own in children.items()}}
    encoder = make_pipeline(
        TargetEncoder(cols=[name], hierarchy=within),
        TargetEncoder(cols=[one for one in tokens if one != name]),
    )
    train = encoder.fit_transform(X.iloc[at].reset_index(drop=True), y[at])
    mean = train.mean()
    test = encoder.transform(X.iloc[test].reset_index(drop=True))
    return train.fillna(mean), test.fillna(mean)


def measure(make, as_features, seed):
    """R2 and interval score by method."""
    from skembed import EmbeddingRegressor

    X, y, name, known = make()
    tokens = pd.unique(X[name])
    new = np.random.default_rng(seed).permutation(tokens)[: len(tokens) // 5]
    is_new = X[name].isin(set(new)).to_numpy()
    train, test = np.flatnonzero(~is_new), np.flatnonzero(is_new)
    found = {}
    for how, (own, parameters) in said(X, name, known, as_features).items():
        tokens = [one for one in own if own[one].dtype.kind not in "fiub"]
        model = EmbeddingRegressor(
            categorical_features=tokens, random_state=seed, **parameters
        )
        model.fit(own.iloc[train], y[train])
        new_rows = own.iloc[test]
        r2 = r2_score(y[test], model.predict(new_rows))
        score = interval_score(y[test], model.predict_interval(new_rows, coverage=0.8))
        found[f"skembed, {how}"] = r2, score
    if as_features:
        return found
    peers = {
        "ridge": make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 13))),
        "HistGB": HistGradientBoostingRegressor(random_state=seed),
    }
    of_train, of_test = encoded(X, y, train, test, name, known)
    for how, peer in peers.items():
        predicted = peer.fit(of_train, y[train]).predict(of_test)
        called = f"TargetEncoder(hierarchy=) + {how}"
        found[called] = r2_score(y[test], predicted), None
    return found


TABLES = {
    "New schools (Chem97)": (schools, False),
    "New counties (countymurders)": (counties, False),
    "New films (MovieLens 100k)": (films, True),
}


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    written, results = [], []
    for title, table in TABLES.items():
        by_method = {}
        for seed in args.seeds:
            for how, figures in measure(*table, seed).items():
                by_method.setdefault(how, []).append(figures)
            print(title, seed, {how: found[-1] for how, found in by_method.items()})
        cells = []
        for how, figures in by_method.items():
            r2, scores = zip(*figures, strict=True)
            each = ", ".join(f"{one:.3f}" for one in r2)
            score = "" if None in scores else f"{np.mean(scores):.3f}"
            cells.append([how, f"{np.mean(r2):.4f}", each, score])
            results.append({"table": title, "method": how, "figures": figures})
        headings = ["method", "R2", "R2 by seed", "score of 80 % intervals"]
        written.append((title, headings, cells))
    used = ["category_encoders", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), written, results)


if __name__ == "__main__":
    main()

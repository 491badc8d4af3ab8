"""Print what boosted trees reach behind encoders of the library's own flights.

    python benchmarks/encoder_folds.py --sizes 20000 4000 1000 --seeds 0 1 2 3 4

R2 on held-out flights of HistGradientBoosting behind TargetEncoder and behind
EmbeddingEncoder, with and without mean outcomes and with a small predictor handed in.
Trees show where vectors of new rows differ from those that they were trained on.
"""

import argparse

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skembed import EmbeddingEncoder, EmbeddingRegressor
from skembed.datasets import load_flights


def encoders(seed):
    """Name and encoder, by seed."""
    folds = KFold(5, shuffle=True, random_state=seed)
    yield "TargetEncoder", TargetEncoder(target_type="continuous", cv=folds)
    params = {"target_type": "continuous", "random_state": seed}
    yield "EmbeddingEncoder()", EmbeddingEncoder(**params)
    yield "target_mean=False", EmbeddingEncoder(target_mean=False, **params)
    small = EmbeddingRegressor(4, epochs=10)
    yield "EmbeddingRegressor(4, epochs=10)", EmbeddingEncoder(small, **params)


def main():
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[20_000, 4_000, 1_000])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    args = parser.parse_args()
    flights = load_flights(as_frame=True)
    X, y = flights.data, flights.target
    print(f"{'rows':>6}  {'encoder':34}{'mean':>8}{'least gap':>11}  by seed")
    for n in args.sizes:
        scores = {}
        for seed in args.seeds:
            X_train, X_test, y_train, y_test = train_test_split(
                X, y, train_size=n, random_state=seed
            )
            for name, encoder in encoders(seed):
                trees = HistGradientBoostingRegressor(random_state=0)
                model = make_pipeline(encoder, trees).fit(X_train, y_train)
                scores.setdefault(name, []).append(model.score(X_test, y_test))
        target = np.array(scores["TargetEncoder"])
        for name, found in scores.items():
            gap = (np.array(found) - target).min()
            by_seed = " ".join(f"{score:.4f}" for score in found)
            print(f"{n:>6}  {name:34}{np.mean(found):8.4f}{gap:11.4f}  {by_seed}")


if __name__ == "__main__":
    main()

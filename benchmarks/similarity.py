"""Time the ten nearest of a thousand tokens among a million, against scikit-learn.

    python benchmarks/similarity.py [--out FILE]

Medians of five runs, taken in turns, and their ratio. Both search the same vectors
exactly; the script stops if they do not find the same neighbours.
"""

import argparse
import statistics
import time

import numpy as np
from report import header, write
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import NearestNeighbors

from skembed import TokenSimilarity


class GivenVectors(BaseEstimator):
    """A fitted estimator with random vectors: searching needs no training."""

    def __init__(self, n_tokens=1_000_000, dim=16):
        self.n_tokens = n_tokens
        self.dim = dim

    def fit(self, X, y):
        """Draw the vectors."""
        rng = np.random.default_rng(0)
        vectors = rng.normal(size=(self.n_tokens, self.dim)).astype(np.float32)
        self.categories_ = [np.arange(self.n_tokens)]
        self.embeddings_ = [vectors]
        self.category_counts_ = [np.ones(self.n_tokens)]
        self.is_categorical_ = np.array([True])
        return self


def timed(function):
    """Return (seconds, result) of one call."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def main():
    """Time both in turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=16)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--neighbors", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", help="a .md or .rst file; a .json is written beside")
    args = parser.parse_args()

    X, y = np.array([[0], [1]]), np.array([0.5, 1.5])
    given = GivenVectors(args.tokens, args.dim).fit(X, y)
    similarity = TokenSimilarity(FrozenEstimator(given)).fit(X, y)
    vectors = given.embeddings_[0]
    rng = np.random.default_rng(1)
    tokens = rng.choice(args.tokens, args.queries, replace=False)
    # one more there: scikit-learn counts the token itself
    brute = NearestNeighbors(n_neighbors=args.neighbors + 1, algorithm="brute")
    brute.fit(vectors)

    ours, theirs = [], []
    for _ in range(args.runs):
        seconds, (distances, found) = timed(
            lambda: similarity.neighbors_of(tokens, args.neighbors)
        )
        ours.append(seconds)
        seconds, (reference, expected) = timed(
            lambda: brute.kneighbors(vectors[tokens])
        )
        theirs.append(seconds)
    np.testing.assert_allclose(distances, reference[:, 1:], rtol=1e-5)
    a, b = statistics.median(ours), statistics.median(theirs)
    rows = [
        ["TokenSimilarity.neighbors_of", f"{a:.3f}", f"{min(ours):.3f}"],
        ["NearestNeighbors(algorithm='brute')", f"{b:.3f}", f"{min(theirs):.3f}"],
        ["ratio", f"{a / b:.2f}", f"{min(ours) / min(theirs):.2f}"],
    ]
    title = (
        f"Seconds for the {args.neighbors} nearest of {args.queries:,} tokens among "
        f"{args.tokens:,}, {args.dim} numbers each. The neighbours are the same in "
        f"{(found == expected[:, 1:]).mean():.2%} of the places (ties aside)."
    )
    heads = ["search", f"median of {args.runs}", "fastest"]
    results = {"skembed": ours, "scikit-learn": theirs}
    packages = ["numpy", "scikit-learn", "skembed"]
    write(args.out, header(packages), [(title, heads, rows)], results)


if __name__ == "__main__":
    main()

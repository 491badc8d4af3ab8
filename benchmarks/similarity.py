"""Time the ten nearest of a thousand tokens among a million, against scikit-learn.

Run ``python benchmarks/similarity.py``. Prints one line a library with the median of
five runs, taken in turns, and the ratio. Both search the same vectors exactly; the
script stops if they do not find the same neighbours.
"""

import argparse
import statistics
import time

import numpy as np
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
    print(f"same neighbours: {(found == expected[:, 1:]).mean():.4%}")

    a, b = statistics.median(ours), statistics.median(theirs)
    print(
        f"{args.neighbors} nearest of {args.queries} tokens among {args.tokens}, "
        f"{args.dim} numbers each; seconds, median of {args.runs} (fastest)"
    )
    print(f"skembed TokenSimilarity.neighbors_of   {a:8.3f}  ({min(ours):.3f})")
    print(f"sklearn NearestNeighbors(brute)        {b:8.3f}  ({min(theirs):.3f})")
    print(f"ratio skembed / sklearn                {a / b:8.3f}")


if __name__ == "__main__":
    main()

"""Synthetic tables whose best possible predictor is known."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

EFFECT_SD = 10.0


@dataclass(frozen=True)
class TokenTask:
    """Rows of one categorical column, and the truth behind them.

    Attributes
    ----------
    tokens, y : ndarray of shape (n_rows,)
        Training rows: the token (int64) and its outcome.
    effects : ndarray of shape (n_tokens,)
        True mean outcome of each token.
    share : ndarray of shape (n_tokens,)
        Probability of each token in a new row.
    bayes : ndarray of shape (n_tokens,)
        Posterior mean of each effect when both variances are known: no predictor
        has a smaller expected squared error.
    counts : ndarray of shape (n_tokens,)
        Training rows of each token.
    noise_sd : float
        Standard deviation of the noise.
    """

    tokens: np.ndarray
    y: np.ndarray
    effects: np.ndarray
    share: np.ndarray
    bayes: np.ndarray
    counts: np.ndarray
    noise_sd: float

    def error(self, predicted):
        """Mean squared error of the effects, over the tokens of new rows."""
        return float(self.share @ (predicted - self.effects) ** 2)

    def new_rows(self, n_rows, seed):
        """Return tokens and outcomes of `n_rows` new rows."""
        rng = np.random.default_rng([seed, 1])
        tokens = rng.choice(len(self.share), n_rows, p=self.share)
        return tokens, rng.normal(self.effects[tokens], self.noise_sd)


def _token_task(tokens, n_tokens, share, noise_sd, rng):
    effects = rng.normal(0.0, EFFECT_SD, n_tokens)
    y = rng.normal(effects[tokens], noise_sd)
    counts = np.bincount(tokens, minlength=n_tokens)
    sums = np.bincount(tokens, weights=y, minlength=n_tokens)
    bayes = sums / (counts + (noise_sd / EFFECT_SD) ** 2)
    return TokenTask(tokens, y, effects, share, bayes, counts, noise_sd)


def zipf_tokens(noise_sd, seed, n_tokens=1_000, n_rows=20_000):
    """One column with a long tail: token r in a share of rows that goes as 1/r."""
    rng = np.random.default_rng(seed)
    share = 1.0 / np.arange(1, n_tokens + 1)
    share /= share.sum()
    tokens = rng.choice(n_tokens, n_rows, p=share)
    return _token_task(tokens, n_tokens, share, noise_sd, rng)


def many_tokens(noise_sd, seed, n_tokens=100_000, rows_per_token=5):
    """One column of many tokens, each in a few rows."""
    rng = np.random.default_rng(seed)
    tokens = rng.permutation(np.repeat(np.arange(n_tokens), rows_per_token))
    share = np.full(n_tokens, 1.0 / n_tokens)
    return _token_task(tokens, n_tokens, share, noise_sd, rng)


@dataclass(frozen=True)
class CrossedTask:
    """Rows of two crossed columns whose interaction has a low rank.

    Attributes
    ----------
    X, X_test : ndarray of int64 of shape (n_rows, 2)
        The two tokens of each row.
    y, y_test : ndarray of shape (n_rows,)
        ``a[i] + b[j] + u[i] @ v[j]`` plus noise of standard deviation 1, all of
        ``a, b, u, v`` standard normal.
    truth : ndarray of shape (n_test,)
        The test outcomes without their noise.
    rank, n_tokens : int
        Rank of the interaction, and tokens in each column.
    """

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    truth: np.ndarray
    rank: int
    n_tokens: int

    def excess(self, predicted):
        """Squared error on the test rows over that of the truth, less one."""
        best = np.mean((self.y_test - self.truth) ** 2)
        return float(np.mean((self.y_test - predicted) ** 2) / best - 1)


def crossed_tokens(n_rows, seed, n_tokens=250, rank=3, n_test=20_000):
    """Two columns of `n_tokens` tokens each, crossed at random."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, n_tokens))
    u, v = rng.normal(size=(2, n_tokens, rank))
    X = rng.integers(n_tokens, size=(n_rows + n_test, 2))
    i, j = X.T
    truth = a[i] + b[j] + np.einsum("nk,nk->n", u[i], v[j])
    y = truth + rng.normal(size=len(truth))
    return CrossedTask(
        X[:n_rows],
        y[:n_rows],
        X[n_rows:],
        y[n_rows:],
        truth[n_rows:],
        rank,
        n_tokens,
    )


def crossed_bayes(task, seed, n_burn=100, n_draws=200):
    """Predict with the posterior mean when rank and all variances are known.

    Gibbs sampling: given the other column, the ``(effect, factors)`` of each token
    are a Bayesian linear regression, drawn for all tokens at once. What is left over
    the truth is what the finite number of rows costs, whatever the method.
    """
    rng = np.random.default_rng([seed, 2])
    size = (task.n_tokens, 1 + task.rank)
    sides = [rng.normal(size=size), rng.normal(size=size)]
    total = np.zeros(len(task.X_test))
    rows = np.arange(len(task.y))
    # (token, row) indicators: a product with one sums the rows of each token.
    sums = [
        csr_array((np.ones(len(rows)), (own, rows)), shape=(task.n_tokens, len(rows)))
        for own in task.X.T
    ]
    for sweep in range(n_burn + n_draws):
        for side in (0, 1):
            other = sides[1 - side][task.X[:, 1 - side]]
            design = np.column_stack([np.ones(len(rows)), other[:, 1:]])
            outer = design[:, :, None] * design[:, None, :]
            gram = sums[side] @ outer.reshape(len(rows), -1)
            gram = gram.reshape(size[0], size[1], size[1])
            right = sums[side] @ (design * (task.y - other[:, 0])[:, None])
            covariance = np.linalg.inv(gram + np.eye(size[1]))
            root = np.linalg.cholesky(covariance)
            mean = np.einsum("tij,tj->ti", covariance, right)
            noise = np.einsum("tij,tj->ti", root, rng.normal(size=size))
            sides[side] = mean + noise
        if sweep >= n_burn:
            left, right = sides[0][task.X_test[:, 0]], sides[1][task.X_test[:, 1]]
            total += left[:, 0] + right[:, 0]
            total += np.einsum("nk,nk->n", left[:, 1:], right[:, 1:])
    return total / n_draws


def growth(shape, seed):
    """Draw persons whose outcome has a level and a slope over time of their own.

    Parameters
    ----------
    shape : tuple of (int, int, float, float)
        Persons, rows of each, spread of the slopes, and of the noise; levels have 1.
    seed : int

    Returns
    -------
    train, test : tuple of (DataFrame, ndarray, ndarray)
        Columns, outcomes and their expectations.
    best : ndarray
        The predictions for the test rows by Bayes' rule, all variances known.
    """
    n, per, spread, noise = shape
    rng = np.random.default_rng(seed)
    own, begin = rng.normal(size=(n, 2)) * [1.0, spread], rng.normal(size=n)

    def rows(per):
        person = np.repeat(np.arange(n), per)
        # Nobody is there all the time, so levels and slopes hang together.
        time = np.sqrt(0.5) * (begin[person] + rng.normal(size=n * per))
        mean = 2.0 + 0.5 * time + own[person, 0] + own[person, 1] * time
        X = pd.DataFrame({"person": person.astype(str), "time": time})
        return X, mean + noise * rng.normal(size=n * per), mean

    train, test = rows(per), rows(4)
    design = np.stack([np.ones(n * per), train[0]["time"]], 1).reshape(n, per, 2)
    rest = (train[1] - 2.0 - 0.5 * train[0]["time"].to_numpy()).reshape(n, per, 1)
    across = design.transpose(0, 2, 1)
    precision = across @ design / noise**2 + np.diag([1.0, spread**-2.0])
    found = np.linalg.solve(precision, across @ rest / noise**2)[:, :, 0]
    person = np.repeat(np.arange(n), 4)
    time = test[0]["time"].to_numpy()
    best = 2.0 + 0.5 * time + found[person, 0] + found[person, 1] * time
    return train, test, best


# Tokens of the columns of `access`, pairs of columns that act together, and spreads of
# the effects of tokens and of pairs, of which half have none.
ACCESS = (4_000, 2_000, 2_300, 450, 340, 130, 67, 3_000, 300)
ACCESS_PAIRS = ((0, 3), (1, 5), (3, 6), (2, 8))
ACCESS_SPREADS = 0.35, 1.2


def _access_threshold(a, b):
    return -1.5 * ((a < -0.2) & (b < 0.0))


def _access_rest(codes):
    return 3.6 - 0.8 * (np.bincount(codes)[codes] < 6)


def access(seed, n_train=26_215, n_test=20_000):
    """Draw requests of access: nine columns of tokens, most of the outcomes 1.

    Log-odds are the sum of effects of tokens, of half of the pairs in four pairs of
    columns, of a threshold on two columns together, and of how rare a token is.

    Returns
    -------
    train, test : tuple of (DataFrame, ndarray, ndarray)
        Columns, outcomes, and the probabilities of 1.
    """
    rng, n = np.random.default_rng(seed), n_train + n_test
    codes = np.empty((n, len(ACCESS)), np.int64)
    for k, size in enumerate(ACCESS):
        share = np.arange(1, size + 1) ** -0.9
        codes[:, k] = rng.permutation(size)[rng.choice(size, n, p=share / share.sum())]
    of_token, of_pair = ACCESS_SPREADS
    effects = [rng.normal(0.0, of_token, size) for size in ACCESS]
    logit = sum(effects[k][codes[:, k]] for k in range(len(ACCESS)))
    for a, b in ACCESS_PAIRS:
        pairs, which = np.unique(codes[:, [a, b]], axis=0, return_inverse=True)
        effect = rng.normal(0.0, of_pair, len(pairs)) * (rng.random(len(pairs)) < 0.5)
        logit += effect[which.ravel()]
    logit += _access_threshold(effects[4][codes[:, 4]], effects[5][codes[:, 5]])
    logit += _access_rest(codes[:, 0])
    probability = 1.0 / (1.0 + np.exp(-logit))
    y = (rng.random(n) < probability).astype(int)
    X = pd.DataFrame({f"c{k}": codes[:, k].astype(str) for k in range(len(ACCESS))})
    both = slice(0, n_train), slice(n_train, n)
    return [(X[at], y[at], probability[at]) for at in both]


def access_optimum(train, test, seed, sweeps=600):
    """Probabilities of who knows how `access` is made, and has seen the same rows.

    All but the effects is known: which pairs act together, all spreads, the threshold
    and what is rare. The effects of tokens and pairs are drawn from their posterior by
    Metropolis steps, block by block; the first fifth of the sweeps is left out.

    Returns
    -------
    probability : ndarray of shape (n_test,)
    """
    rng, n = np.random.default_rng(seed), len(train[1])
    X = np.concatenate([train[0].to_numpy(), test[0].to_numpy()]).astype(int)
    sign, blocks = np.where(train[1] == 1, 1.0, -1.0), list(X.T)
    for pair in ACCESS_PAIRS:
        _, which = np.unique(X[:, pair], axis=0, return_inverse=True)
        blocks.append(which.ravel())
    effects = [np.zeros(block.max() + 1) for block in blocks]
    steps = [np.full(len(effect), 0.3) for effect in effects]
    rest, total, n_kept = _access_rest(X[:, 0]), np.zeros(len(X) - n), 0
    fit, new_rows = slice(0, n), slice(n, None)

    def logit(at):
        found = sum(e[block[at]] for e, block in zip(effects, blocks, strict=True))
        of_both = (effects[k][blocks[k][at]] for k in (4, 5))
        return rest[at] + found + _access_threshold(*of_both)

    def loss(logit):
        return np.logaddexp(0.0, -sign * logit)

    now = logit(fit)
    for sweep in range(sweeps):
        for k, block in enumerate(blocks):
            proposed, against = _access_move(effects[k], steps[k], k, sweep, rng)
            before, effects[k] = effects[k], proposed
            after = logit(fit)
            gain = np.bincount(block[fit], loss(now) - loss(after), len(proposed))
            taken = np.log(rng.random(len(proposed))) < gain - against
            if sweep < sweeps // 5:
                steps[k] = np.clip(steps[k] * np.exp(0.1 * (taken - 0.4)), 0.02, 1.0)
            effects[k] = np.where(taken, proposed, before)
            now = np.where(taken[block[fit]], after, now)
        if sweep >= sweeps // 5:
            total, n_kept = total + 1.0 / (1.0 + np.exp(-logit(new_rows))), n_kept + 1
    return total / n_kept


def _access_move(effect, step, k, sweep, rng):
    """Proposed effects of a block, and what the prior has against each."""
    n, (of_token, of_pair) = len(effect), ACCESS_SPREADS
    is_pair = k >= len(ACCESS)
    if is_pair and sweep % 2:  # from the prior itself, which may switch a pair off
        drawn = rng.normal(0.0, of_pair, n) * (rng.random(n) < 0.5)
        return drawn, np.zeros(n)
    spread = of_pair if is_pair else of_token
    moves = effect != 0.0 if is_pair else np.ones(n, bool)
    drawn = effect + np.where(moves, step * rng.normal(size=n), 0.0)
    return drawn, 0.5 * (np.square(drawn) - np.square(effect)) / spread**2

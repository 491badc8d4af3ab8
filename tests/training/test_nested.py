"""Rows of the table that vectors share: held to closed forms, whatever the counts."""

import numpy as np
import pandas as pd
import pytest

from skembed import EmbeddingRegressor
from skembed._training.nested import Within

N_OLD, N_NEW, OWN = 300, 100, 0.5


def effects(seed, shared):
    """Effects of tokens about what they share, and rows of the old ones."""
    rng = np.random.default_rng(seed)
    effect = shared + OWN * rng.normal(size=N_OLD + N_NEW)
    tokens = np.repeat(np.arange(N_OLD), 100)
    y = effect[tokens] + rng.normal(size=len(tokens))
    return tokens, y, effect


def names(tokens):
    return np.char.add("t", np.asarray(tokens).astype(str))


def test_a_map_of_features_is_the_best_linear_one():
    """Tokens of many rows: their own vectors know all, the map has to be told."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(N_OLD + N_NEW, 8))
    # Most directions are of two values: a line says all of them.
    features[:, 2:] = np.sign(features[:, 2:])
    slopes = 0.4 * rng.normal(size=8)
    tokens, y, effect = effects(2, features @ slopes)
    frame = pd.DataFrame(features, index=names(range(N_OLD + N_NEW))).rename(
        columns=str
    )
    model = EmbeddingRegressor(
        hidden_layer_sizes=(), token_features={"token": frame}, random_state=0
    )
    model.fit(pd.DataFrame({"token": names(tokens)}), y)
    new = pd.DataFrame({"token": names(range(N_OLD, N_OLD + N_NEW))})
    mean = np.bincount(tokens, y) / np.bincount(tokens)
    design = np.column_stack([np.ones(N_OLD), features[:N_OLD]])
    best, *_ = np.linalg.lstsq(design, mean, rcond=None)
    best = np.column_stack([np.ones(N_NEW), features[N_OLD:]]) @ best
    apart = np.mean(np.square(model.predict(new) - best))
    assert apart < 0.02 * best.var()
    error = np.mean(np.square(model.predict(new) - effect[N_OLD:]))
    assert error < 1.1 * np.mean(np.square(best - effect[N_OLD:]))


def test_a_number_among_features_need_not_act_on_a_line():
    rng = np.random.default_rng(3)
    year = rng.uniform(1920, 2000, N_OLD + N_NEW)
    tokens, y, effect = effects(4, np.cos((year - 1920) / 80 * 2 * np.pi))
    frame = pd.DataFrame({"year": year}, index=names(range(N_OLD + N_NEW)))
    model = EmbeddingRegressor(
        hidden_layer_sizes=(), token_features={"token": frame}, random_state=0
    )
    model.fit(pd.DataFrame({"token": names(tokens)}), y)
    new = pd.DataFrame({"token": names(range(N_OLD, N_OLD + N_NEW))})
    error = np.mean(np.square(model.predict(new) - effect[N_OLD:]))
    assert error < 1.3 * OWN**2 < 0.5 * effect.var()


def test_a_parent_is_the_shrunk_mean_of_its_children():
    rng = np.random.default_rng(5)
    parent = np.arange(N_OLD + N_NEW) % 20
    town = rng.normal(size=20)
    tokens, y, _ = effects(6, town[parent])
    X = pd.DataFrame({"school": names(tokens), "town": parent[tokens].astype(str)})
    model = EmbeddingRegressor(
        hidden_layer_sizes=(), hierarchy={"school": "town"}, random_state=0
    ).fit(X, y)
    new = pd.DataFrame({"school": "new", "town": np.arange(20).astype(str)})
    mean = np.bincount(tokens, y) / np.bincount(tokens)
    # Of 15 schools each: variance of their own effects and of their means.
    of_town = np.bincount(parent[:N_OLD], mean) / 15
    shrunk = of_town.mean() + (of_town - of_town.mean()) / (1 + (OWN**2 + 0.01) / 15)
    np.testing.assert_allclose(model.predict(new), shrunk, atol=0.06)


def test_common_tokens_may_be_others_than_rare_ones():
    """What features say is learned for rows, not for tokens, where the two differ."""
    rng = np.random.default_rng(7)
    kind = rng.integers(0, 2, N_OLD)
    is_common = rng.random(N_OLD) < 0.3
    # Among common tokens the kind matters, among rare ones it does not.
    effect = kind * is_common + 0.2 * rng.normal(size=N_OLD)
    tokens = np.repeat(np.arange(N_OLD), np.where(is_common, 80, 4))
    y = effect[tokens] + rng.normal(size=len(tokens))
    every = np.append(names(range(N_OLD)), ["new 0", "new 1"])
    frame = pd.DataFrame({"kind": np.append(kind, [0, 1])}, index=every)
    model = EmbeddingRegressor(
        hidden_layer_sizes=(), token_features={"token": frame}, random_state=0
    )
    model.fit(pd.DataFrame({"token": names(tokens)}), y)
    low, high = model.predict(pd.DataFrame({"token": ["new 0", "new 1"]}))
    by_row = y[kind[tokens] == 1].mean() - y[kind[tokens] == 0].mean()
    assert by_row > 0.8
    assert high - low == pytest.approx(by_row, abs=0.15)


@pytest.mark.parametrize("is_nested", [True, False])
def test_tokens_of_several_parents_have_no_exchange(is_nested, monkeypatch):
    """Then what parents are is not told by their tokens alone."""
    rng, calls, balanced = np.random.default_rng(8), [], Within.balanced

    def counted(self, *args):
        calls.append(self)
        return balanced(self, *args)

    monkeypatch.setattr(Within, "balanced", counted)
    X = pd.DataFrame({"child": rng.integers(0, 50, 3_000).astype(str)})
    X["parent"] = rng.integers(0, 5, 3_000).astype(str)
    if is_nested:
        X["parent"] = (X["child"].astype(int) % 5).astype(str)
    y = X["parent"].astype(float) + 0.5 * rng.normal(size=3_000)
    model = EmbeddingRegressor(
        hidden_layer_sizes=(), hierarchy={"child": "parent"}, random_state=0
    ).fit(X, y)
    assert model.score(X, y) > 0.85
    assert len(calls) == (model.n_iter_ if is_nested else 0)

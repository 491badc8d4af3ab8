"""The pass that counts tokens, against counting them in memory."""

import pickle

import numpy as np
import pandas as pd
import pytest

from skembed import _settings as settings
from skembed._data.ahead import ahead
from skembed._data.columns import read
from skembed._data.features import FeatureEncoder
from skembed._data.samples import Samples
from skembed._data.survey import Survey, Tally
from skembed._data.tokens import TokenIndex

MIXTURES = {
    "text": ["b", "a", None, "c"],
    "integers": [3, 1, -2, 10**12],
    "numbers": [1, 2.5, True, None],
    "all": ["1", 1, None, 2.5],
    "dates": [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02 03:00")],
}


@pytest.mark.parametrize("kind", MIXTURES)
@pytest.mark.parametrize("limits", [(None, None), (20, None), (None, 2)])
def test_tokens_counted_in_pieces(kind, limits, monkeypatch):
    monkeypatch.setattr(settings, "TALLY_LEAST", 1)
    rng = np.random.default_rng(0)
    cells = np.empty(200, dtype=object)
    cells[:] = rng.choice(np.array(MIXTURES[kind], dtype=object), 200)
    weights = rng.integers(1, 4, 200).astype(float)
    frame = pd.DataFrame({"t": cells})
    whole, _ = TokenIndex.fit(read(frame)[0], weights, *limits)
    tally = Tally()
    for start in range(0, 200, 30):
        piece = slice(start, start + 30)
        tally.add(*read(frame[piece])[0].counted(weights[piece]))
    found = tally.index(*limits, weights.sum())
    assert [repr(c) for c in found.categories] == [repr(c) for c in whole.categories]
    np.testing.assert_array_equal(found.counts, whole.counts)
    np.testing.assert_array_equal(found.codes, whole.codes)
    assert found.n_codes == whole.n_codes


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
@pytest.mark.parametrize("first", ["all", "few", "far"])
def test_integers_are_counted_in_pieces(dtype, first, monkeypatch):
    """Also beyond the range of those before, and of another type."""
    monkeypatch.setattr(settings, "TALLY_LEAST", 5)
    info, rng = np.iinfo(dtype), np.random.default_rng(0)
    low = info.min if first == "far" else 3
    pieces = [rng.integers(low, 90, 40).astype(dtype) for _ in range(4)]
    pieces[0] = {"few": np.arange(20, 40), "far": [info.max]}.get(first, np.arange(90))
    pieces = [np.asarray(piece, dtype) for piece in pieces]
    pieces.append(np.array([5, 90, 91], np.int16))
    tally, others = Tally(), Tally()
    for i, piece in enumerate(pieces):
        column = read(piece[:, None])[0].counted(np.full(len(piece), 0.5))
        (others if i == 2 else tally).add(*column)
        tally = pickle.loads(pickle.dumps(tally)) if i == 1 else tally
    whole = pd.Series(np.concatenate([piece.astype(object) for piece in pieces]))
    expected = 0.5 * whole.value_counts().sort_index()
    found = tally.more(others).index(None, None, expected.sum())
    assert found.categories.tolist() == expected.index.tolist()
    np.testing.assert_array_equal(found.counts, expected)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize("weigh", [False, True])
def test_integers_are_counted_as_they_are_told_apart(dtype, far, weigh):
    info, rng = np.iinfo(dtype), np.random.default_rng(0)
    ends = [info.min, info.max] if far else []
    values = np.append(rng.integers(0, 9, 50), [0, 8]).astype(dtype)
    values = np.append(values, np.array(ends, dtype))
    weights = rng.integers(1, 4, len(values)) if weigh else np.full(len(values), 0.3)
    (column,) = read(values[:, None])
    uniques, counts, missing, has_missing = column.counted(weights.astype(float))
    codes, expected = column.factorize()
    order = np.argsort(expected)
    assert uniques.dtype == dtype
    np.testing.assert_array_equal(np.sort(uniques), expected[order])
    np.testing.assert_allclose(
        counts[np.argsort(uniques)], np.bincount(codes, weights)[order]
    )
    assert (missing, has_missing) == (0.0, False)


def pieces(frame, weights, step=50):
    for start in range(0, len(frame), step):
        at = slice(start, start + step)
        y = np.arange(len(frame), dtype=float)[at]
        yield Samples(frame[at], y, weights[at], y[:, None], {}, places=y.astype(int))


def test_scales_have_the_range_and_the_gaps_of_all_rows(monkeypatch):
    monkeypatch.setattr(settings, "SURVEY_ROWS", 60)
    z = np.random.default_rng(1).normal(size=400)
    z[[17, 333]] = -40.0, 50.0
    frame = pd.DataFrame({"t": ["a", "b"] * 200, "z": z, "gap": z})
    frame.loc[222, "gap"] = np.nan
    weights = np.ones(400)
    mask = np.array([True, False, False])
    survey = Survey(FeatureEncoder(mask, True), [False, True, True], 400, 0)
    survey.run(pieces(frame, weights))
    sample = survey.sample()
    assert 30 < len(sample.y) < 90
    np.testing.assert_array_equal(sample.y, sample.outcome[:, 0])
    np.testing.assert_array_equal(sample.table["z"], z[sample.y.astype(int)])
    scale, gap = survey.learned(sample, None, None).scales
    assert (scale.has_missing, gap.has_missing) == (False, True)
    ends = scale.squash(np.array([-40.0, 50.0]))
    np.testing.assert_array_equal(scale.knots[[0, -1]], ends)
    assert survey.n_rows == 400 and survey.total == 400.0


def test_two_surveys_are_the_survey_of_both():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"t": rng.integers(0, 50, 400), "z": rng.normal(size=400)})
    frame.loc[399, "z"] = np.nan
    weights, mask = np.arange(1.0, 401.0), np.array([True, False])

    def survey(start, stop, place=()):
        encoder = FeatureEncoder(mask, True)
        made = Survey(encoder, [False, True], 400, 0, place)
        return made.run(pieces(frame[start:stop], weights[start:stop]))

    a, b = survey(0, 150, (0,)), survey(150, 400, (1,))
    both = pickle.loads(pickle.dumps(a)).more(pickle.loads(pickle.dumps(b)))
    alone = survey(0, 400)
    assert (both.n_rows, both.total) == (alone.n_rows, alone.total)
    assert a.n_rows == 150  # as it was
    of_both, of_alone = (one.learned(one.sample(), None, None) for one in (both, alone))
    found, wanted = of_both.tokens[0], of_alone.tokens[0]
    np.testing.assert_array_equal(found.categories, wanted.categories)
    np.testing.assert_array_equal(found.counts, wanted.counts)
    np.testing.assert_array_equal(of_both.scales[0].cuts, of_alone.scales[0].cuts)
    assert of_both.scales[0].has_missing


def test_a_column_that_turns_into_floats_is_named():
    frame = pd.DataFrame({"t": np.arange(100)})
    survey = Survey(FeatureEncoder(np.array([True]), True), [False], 200, 0)
    later = pd.DataFrame({"t": np.arange(100) + 0.5})
    both = [*pieces(frame, np.ones(100)), *pieces(later, np.ones(100))]
    with pytest.raises(ValueError, match="column 't' holds floating point"):
        survey.run(both)


def test_results_come_in_order_and_few_items_are_taken():
    taken = []

    def items():
        for i in range(50):
            taken.append(i)
            yield i

    results = ahead(lambda i: i * i, items())
    assert next(results) == 0
    assert len(taken) < 50
    assert list(results) == [i * i for i in range(1, 50)]


def test_an_error_of_a_thread_comes_out():
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda i: 1 / (5 - i), range(10)))

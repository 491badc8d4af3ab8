"""What EmbeddingRegressor learns."""

import keras
import numpy as np
import pandas as pd
import pytest
from comparisons import equal_fits
from scipy import optimize
from sklearn.exceptions import NotFittedError

from skembed import EmbeddingRegressor
from skembed.datasets import make_token_outcomes

# The experiment it all started from.


@pytest.mark.parametrize("seed", range(20))
def test_the_first_experiment(seed, section_one):
    data = make_token_outcomes(return_X_y=False, random_state=seed)
    model = EmbeddingRegressor(**section_one, random_state=seed).fit(data.X, data.y)
    assert 150 < model.loss_curve_[0] < 220
    assert 3.7 < model.loss_curve_[-1] < 4.4
    assert model.n_iter_ == 100
    vectors, effects = model.embedding_, data.effects[0]
    assert vectors.shape == (5, 4)
    # From one token; its two neighbours are equally far in truth, if it has two.
    distance = np.linalg.norm(vectors - vectors[0], axis=1)
    gap = np.abs(effects - effects[0]).round(6)
    nearer = gap[:, None] < gap
    assert (distance[:, None] < distance)[nearer].all()
    np.testing.assert_allclose(model.predict(np.arange(5)[:, None]), effects, atol=0.5)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_defaults_on_the_first_experiment(seed):
    data = make_token_outcomes(return_X_y=False, random_state=seed)
    model = EmbeddingRegressor(random_state=seed).fit(data.X, data.y)
    means = [data.y[data.X[:, 0] == t].mean() for t in range(5)]
    np.testing.assert_allclose(model.predict(np.arange(5)[:, None]), means, atol=0.1)
    np.testing.assert_allclose(model.noise_scale_, 2.0, rtol=0.03)


# Against closed forms. A head that answers nothing leaves the first-order term alone,
# and the model is the normal model with normal effects.


def test_coordinates_that_are_not_needed_fall_back_to_the_prior():
    X, y = make_token_outcomes(6_000, 100, effects="normal", random_state=0)
    additive = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
    assert additive.embedding_.shape[1] == 8
    assert additive.n_active_dims_ == [1]
    X, y = make_token_outcomes(
        12_000, [60, 60], effects="normal", interaction_rank=3, random_state=0
    )
    crossed = EmbeddingRegressor(epochs=30, random_state=0).fit(X, y)
    assert min(crossed.n_active_dims_) >= 4  # the effects and three factors


def no_head(meta):
    return keras.Sequential(
        [
            keras.Input((meta["n_inputs"],)),
            keras.layers.Rescaling(0.0),
            keras.layers.Dense(meta["n_outputs"]),
        ]
    )


@pytest.fixture(scope="module")
def effects_only(many_tokens):
    model = EmbeddingRegressor(1, model=no_head, epochs=150, random_state=0)
    return model.fit(many_tokens.X, many_tokens.y)


def bayes(model, data):
    """Posterior mean and standard deviation of each token's expected outcome."""
    counts, tau = model.category_counts_[0], 1.0
    scale = model._fitted.scale[0]
    tau = model.prior_scales_[0][0] * scale
    unknown = model.predict(np.array([[10_000]]))[0]
    means = np.array([data.y[data.X[:, 0] == t].mean() for t in model.categories_[0]])
    precision = counts / model.noise_scale_**2 + tau**-2
    shrunk = unknown + counts / model.noise_scale_**2 / precision * (means - unknown)
    return shrunk, precision**-0.5, tau, means


def test_posteriors_are_those_of_bayes(effects_only, many_tokens):
    mean, sd, tau, raw = bayes(effects_only, many_tokens)
    tokens = effects_only.categories_[0][:, None]
    assert np.abs(raw - mean).max() > 0.5  # there was something to shrink
    predicted = effects_only.predict(tokens)
    assert (np.abs(predicted - mean) / sd).max() < 0.08
    spread = effects_only.predict_std(tokens, include_noise=False)
    np.testing.assert_allclose(spread, sd, rtol=0.05)
    scale = effects_only._fitted.scale[0]
    np.testing.assert_allclose(effects_only.embedding_std_[:, 0] * scale, sd, rtol=0.05)


def test_learned_scales_are_those_of_the_data(effects_only, many_tokens):
    """Maximum likelihood of noise and effect scales, by plain optimisation."""
    X, y = many_tokens.X[:, 0], many_tokens.y
    tokens = effects_only.categories_[0]
    n = effects_only.category_counts_[0]
    means = np.array([y[X == t].mean() for t in tokens])
    within = sum(np.square(y[X == t] - y[X == t].mean()).sum() for t in tokens)

    def minus_log_likelihood(params):
        centre, noise, tau = params[0], np.exp(params[1]), np.exp(params[2])
        variance = noise**2 / n + tau**2
        between = np.square(means - centre) / variance + np.log(variance)
        left = (len(y) - len(n)) * 2 * np.log(noise) + within / noise**2
        return left + between.sum()

    best = optimize.minimize(minus_log_likelihood, [0.0, 1.0, 1.0]).x
    _, _, tau, _ = bayes(effects_only, many_tokens)
    np.testing.assert_allclose(effects_only.noise_scale_, np.exp(best[1]), rtol=0.03)
    np.testing.assert_allclose(tau, np.exp(best[2]), rtol=0.1)


def test_an_unknown_token_is_the_prior(effects_only, many_tokens):
    _, _, tau, _ = bayes(effects_only, many_tokens)
    mean, std = effects_only.predict(np.array([[10_000]]), return_std=True)
    np.testing.assert_allclose(mean[0], effects_only._fitted.centre[0], atol=2.0)
    expected = np.hypot(tau, effects_only.noise_scale_)
    np.testing.assert_allclose(std[0], expected, rtol=0.02)


def test_default_network_shrinks_nearly_as_well_as_bayes(many_tokens):
    model = EmbeddingRegressor(random_state=0).fit(many_tokens.X, many_tokens.y)
    tokens = model.categories_[0]
    truth = many_tokens.effects[0][tokens]
    mean, _, _, raw = bayes(model, many_tokens)
    ours = np.square(model.predict(tokens[:, None]) - truth).mean()
    assert ours < 1.25 * np.square(mean - truth).mean()
    assert ours < 0.9 * np.square(raw - truth).mean()


@pytest.fixture(scope="module")
def groups():
    """Positive outcomes of 15 tokens with 1 to 40 rows each."""
    rng = np.random.default_rng(4)
    counts = rng.integers(1, 40, 15)
    X = np.repeat(np.arange(15), counts)[:, None]
    rate = np.exp(rng.normal(0.5, 0.8, 15))
    return X, rate[X[:, 0]], counts, rng


def test_poisson_effects_minimise_the_evidence_bound(groups):
    X, rate, counts, _ = groups
    y = np.random.default_rng(0).poisson(rate).astype(float)
    model = EmbeddingRegressor(
        1, model=no_head, loss="poisson", epochs=200, random_state=0
    )
    model.fit(X, y)
    tau, base = model.prior_scales_[0][0], np.log(model.predict([[99]])[0])
    totals = np.bincount(X[:, 0], y)

    def bound(params, n, total):
        mean, sd = params[0], np.exp(params[1])
        fit = n * np.exp(base + mean + sd**2 / 2) - total * mean
        return fit + (mean**2 + sd**2) / (2 * tau**2) - params[1]

    best = np.array(
        [
            optimize.minimize(bound, [0.0, -1.0], args=pair).x
            for pair in zip(counts, totals, strict=True)
        ]
    )
    np.testing.assert_allclose(model.embedding_[:, 0], best[:, 0], atol=0.05)
    np.testing.assert_allclose(model.embedding_std_[:, 0], np.exp(best[:, 1]), rtol=0.1)
    assert not hasattr(model, "noise_scale_")


def test_gamma_effects_are_a_fixed_point_of_the_evidence_bound(groups):
    X, rate, counts, _ = groups
    y = rate * np.random.default_rng(0).gamma(4.0, 0.25, len(X))
    model = EmbeddingRegressor(
        1, model=no_head, loss="gamma", epochs=200, random_state=0
    )
    model.fit(X, y)
    tau, base = model.prior_scales_[0][0], np.log(model.predict([[99]])[0])
    shape, totals = model.noise_scale_**-2, np.bincount(X[:, 0], y)
    sd = (tau**-2 + counts * shape) ** -0.5
    np.testing.assert_allclose(model.embedding_std_[:, 0], sd, rtol=0.05)

    def slope(mean, n, total, sd):
        misfit = shape * (n - total * np.exp(-base - mean + sd**2 / 2))
        return misfit + mean / tau**2

    best = [
        optimize.brentq(slope, -9, 9, args=each)
        for each in zip(counts, totals, sd, strict=True)
    ]
    np.testing.assert_allclose(model.embedding_[:, 0], best, atol=0.05)
    np.testing.assert_allclose(model.noise_scale_, 0.5, rtol=0.2)


@pytest.mark.parametrize("prior", ["normal", None])
@pytest.mark.parametrize(
    ("loss", "quantile", "expected"),
    [
        ("squared_error", None, np.mean),
        ("absolute_error", None, np.median),
        ("quantile", 0.9, lambda y: np.quantile(y, 0.9)),
        ("quantile", 0.2, lambda y: np.quantile(y, 0.2)),
        ("poisson", None, np.mean),
        ("gamma", None, np.mean),
    ],
)
def test_one_token_gets_the_best_constant(loss, quantile, expected, prior):
    y = np.random.default_rng(0).gamma(2.0, 2.0, 400)
    model = EmbeddingRegressor(
        1,
        (2,),
        "linear",
        loss=loss,
        quantile=quantile,
        prior=prior,
        learning_rate=0.02,
        batch_size=100,
        epochs=120,
        tol=None,
        random_state=0,
    )
    model.fit(np.zeros((400, 1), int), y)
    found = model.predict([[0]])[0]
    spread = np.std(y) * (0.06 if prior is None else 0.03)
    np.testing.assert_allclose(found, expected(y), atol=spread)


def test_huber_lies_between_median_and_mean():
    y = np.random.default_rng(0).gamma(0.5, 2.0, 600)
    model = EmbeddingRegressor(1, (2,), loss="huber", random_state=0)
    found = model.fit(np.zeros((600, 1), int), y).predict([[0]])[0]
    assert np.median(y) < found < np.mean(y)


# Rows, weights and order.


@pytest.mark.parametrize("params", [{}, {"prior": None}, {"loss": "absolute_error"}])
def test_weights_are_copies_and_the_order_does_not_show(params, mixed, quick):
    X, y = mixed
    rng = np.random.default_rng(0)
    weights = rng.integers(0, 4, len(X))
    weighted = quick(**params).fit(X, y, sample_weight=weights)
    rows = np.repeat(np.arange(len(X)), weights)
    equal_fits(weighted, quick(**params).fit(X[rows], y[rows]))
    rows = rng.permutation(rows)
    equal_fits(weighted, quick(**params).fit(X[rows], y[rows]))


def test_no_weights_are_weights_of_one(mixed, quick):
    X, y = mixed
    equal_fits(quick().fit(X, y), quick().fit(X, y, sample_weight=np.ones(len(X))))


def test_a_row_of_weight_zero_teaches_no_token(quick):
    X, y = np.array(["a", "b", "c", "a"])[:, None], np.arange(4.0)
    model = quick().fit(X, y, sample_weight=[1, 1, 0, 1])
    assert model.categories_[0].tolist() == ["a", "b"]


# Unknown, missing and rare tokens.


@pytest.fixture(scope="module")
def with_gaps():
    rng = np.random.default_rng(0)
    X = rng.choice(np.array(["a", "b", None, "r1", "r2"], object), 400)
    X[:4] = "r1", "r2", "r1", "r2"
    X[4:][np.isin(X[4:], ["r1", "r2"])] = "a"
    y = np.array([{"a": 5.0, "b": -5.0, None: 20.0}.get(t, -20.0) for t in X])
    return X[:, None], y + rng.normal(0, 0.1, 400)


@pytest.mark.parametrize("prior", ["normal", None])
def test_missing_is_a_token_of_its_own(prior, with_gaps):
    model = EmbeddingRegressor(
        2, (8,), prior=prior, epochs=150, batch_size=32, random_state=0
    )
    model.fit(*with_gaps)
    assert model.categories_[0].tolist() == ["a", "b", "r1", "r2", None]
    assert model.embedding_.shape == (5, 2)
    missing, nan, unknown, a = model.predict([[None], [np.nan], ["q"], ["a"]])
    np.testing.assert_allclose(missing, 20.0, atol=1.5)
    assert nan == missing
    assert abs(unknown - missing) > 3.0
    np.testing.assert_allclose(a, 5.0, atol=1.5)


@pytest.mark.parametrize("prior", ["normal", None])
def test_missing_that_fit_did_not_see_is_unknown(prior, quick):
    X, y = np.array(["a", "b", "a"], object)[:, None], np.array([1.0, 2.0, 3.0])
    model = quick(prior=prior).fit(X, y)
    missing, unknown = model.predict(np.array([[None], ["q"]], object))
    assert missing == unknown


def test_an_unknown_vector_is_zero_or_the_mean(with_gaps, quick):
    X, y = with_gaps
    model = quick().fit(X, y)
    code = model.model_inputs([["q"]])["codes"][0, 0]
    table = model.model_.get_layer("table_0").get_weights()[0]
    np.testing.assert_array_equal(table[code], 0.0)
    model = quick(prior=None).fit(X, y)
    table = model.model_.get_layer("table_0").get_weights()[0]
    mean = np.average(model.embedding_, axis=0, weights=model.category_counts_[0])
    np.testing.assert_allclose(table[code], mean, atol=1e-6)


def test_rare_tokens_share_a_vector_and_unknown_ones_may_join(with_gaps):
    X, y = with_gaps
    model = EmbeddingRegressor(2, (8,), min_frequency=3, random_state=0).fit(X, y)
    assert model.infrequent_categories_[0].tolist() == ["r1", "r2"]
    r1, r2 = model.embedding_[2:4]
    np.testing.assert_array_equal(r1, r2)
    rare, unknown, missing = model.predict([["r1"], ["q"], [None]])
    assert rare == unknown
    assert rare < -10 < missing
    model.set_params(handle_unknown="prior")
    assert model.predict([["q"]])[0] > rare


def test_unknown_tokens_can_be_an_error(with_gaps, quick):
    X, y = with_gaps
    model = quick(handle_unknown="error").fit(X, y)
    model.predict(X)
    with pytest.raises(ValueError, match=r"unknown tokens 'q' in column 0"):
        model.predict([["q"], ["a"]])
    with pytest.raises(ValueError, match="None"):
        quick(handle_unknown="error").fit([["a"], ["b"]], [1, 2]).predict([[None]])


def test_columns_are_found_by_name_and_checked(quick):
    X = pd.DataFrame({"t": ["a", "b", "a"], "größe (m)": [1.0, 2.0, 3.0]})
    model = quick().fit(X, [1.0, 2.0, 3.0])
    assert model.feature_names_in_.tolist() == ["t", "größe (m)"]
    assert model.is_categorical_.tolist() == [True, False]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(X[["t"]])
    with pytest.raises(ValueError, match="order"):
        model.predict(X.iloc[:, ::-1])
    assert model.model_.output_shape == (None, 1)


@pytest.mark.parametrize(
    ("wanted", "mask"),
    [
        ("auto", [True, True, False, False]),
        ("all", [True] * 4),
        (None, [False, True, False, False]),
        ([0], [True, False, False, False]),
        ([0, -1], [True, False, False, True]),
        ([True, False, True, False], [True, False, True, False]),
    ],
)
def test_which_columns_are_tokens(wanted, mask, mixed, quick):
    X, y = mixed
    if wanted is None:
        X = X[:, 1:]
        model = quick(categorical_features=None).fit(X, y)
        assert not model.is_categorical_.any()
        assert model.embeddings_ == []
        return
    model = quick(categorical_features=wanted).fit(X, y)
    assert model.is_categorical_.tolist() == mask
    assert len(model.embeddings_) == len(model.categories_) == sum(mask)


def test_columns_by_name(quick):
    X = pd.DataFrame({"a b": [1, 2, 1], "x(1)": [1.0, 2.0, 3.0]})
    model = quick(categorical_features=["x(1)"]).fit(X, [1.0, 2.0, 3.0])
    assert model.is_categorical_.tolist() == [False, True]
    with pytest.raises(ValueError, match="'nope', which X does not have"):
        quick(categorical_features=["nope"]).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="no column names"):
        quick(categorical_features=["a"]).fit(X.to_numpy(), [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="index 2, but X has 2 columns"):
        quick(categorical_features=[2]).fit(X, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="boolean mask"):
        quick(categorical_features=[True]).fit(X, [1.0, 2.0, 3.0])


# The shape of what is learned.


def test_one_length_a_column(mixed, quick):
    X, y = mixed
    for prior in ("normal", None):
        model = quick(embedding_dim=[2, 5], prior=prior).fit(X, y)
        assert [v.shape for v in model.embeddings_] == [(6, 2), (4, 5)]
        assert all(v.dtype == np.float32 for v in model.embeddings_)
    with pytest.raises(ValueError, match="2 here"):
        quick(embedding_dim=[2, 5, 1]).fit(X, y)
    with pytest.raises(ValueError, match="positive integer"):
        quick(embedding_dim=[2, 0]).fit(X, y)


def test_embedding_is_there_for_one_column_only(mixed, quick):
    X, y = mixed
    model = quick().fit(X, y)
    with pytest.raises(AttributeError, match="embeddings_"):
        _ = model.embedding_
    one = quick().fit(X[:, [0, 2]], y)
    np.testing.assert_array_equal(one.embedding_, one.embeddings_[0])
    assert one.embedding_std_.shape == one.embedding_.shape
    plain = quick(prior=None).fit(X, y)
    for name in ("embeddings_std_", "prior_scales_", "noise_scale_", "n_active_dims_"):
        assert hasattr(model, name)
        assert not hasattr(plain, name)
    with pytest.raises(AttributeError, match="prior"):
        plain.predict(X, return_std=True)


@pytest.mark.parametrize("prior", ["normal", None])
def test_several_outputs(prior):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (900, 1))
    effects = rng.normal(0, 3, (6, 2)) * [1.0, 10.0]
    y = effects[X[:, 0]] + rng.normal(0, [0.5, 5.0], (900, 2))
    model = EmbeddingRegressor(3, (16,), prior=prior, random_state=0)
    model.set_params(epochs=60, batch_size=64, learning_rate=0.02).fit(X, y)
    predicted = model.predict(np.arange(6)[:, None])
    means = np.array([y[X[:, 0] == t].mean(axis=0) for t in range(6)])
    assert (np.abs(predicted - means) < [0.4, 4.0]).all()
    assert model.score(X, y) > 0.9
    if prior:
        np.testing.assert_allclose(model.noise_scale_, [0.5, 5.0], rtol=0.15)
        assert model.predict_std(X).shape == (900, 2)
    one = EmbeddingRegressor(3, epochs=1).fit(X, y[:, [0]])
    assert one.predict(X).shape == (900, 1)


# Training.


def test_tol_stops_training_early_and_none_does_not(with_gaps):
    X, y = with_gaps
    params = {"prior": None, "batch_size": 8, "epochs": 30, "n_iter_no_change": 3}
    assert EmbeddingRegressor(2, (4,), tol=1e9, **params).fit(X, y).n_iter_ < 30
    assert EmbeddingRegressor(2, (4,), tol=None, **params).fit(X, y).n_iter_ == 30


def test_early_stopping_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 100, (300, 1)), rng.normal(size=300)
    model = EmbeddingRegressor(
        8,
        (32,),
        prior=None,
        learning_rate=0.03,
        batch_size=32,
        epochs=80,
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=4,
        random_state=0,
    )
    model.fit(X, y)
    curve = model.validation_loss_curve_
    assert len(curve) == model.n_iter_ == len(model.loss_curve_) < 80
    assert np.argmin(curve) == len(curve) - 5
    learned, held_out = model._read(X, y, None).split(0.3, model._generator())
    assert len(held_out.y) == 90
    assert sorted([*learned.y, *held_out.y]) == sorted(y)
    error = np.square(held_out.y - model.predict(held_out.table)).mean()
    np.testing.assert_allclose(error, min(curve), rtol=0.1)
    assert not hasattr(EmbeddingRegressor(epochs=1).fit(X, y), "validation_loss_curve_")


def test_warm_start_goes_on(mixed, quick):
    X, y = mixed
    model = quick(prior=None, warm_start=True, learning_rate=0.01).fit(X, y)
    first = model.loss_curve_
    model.fit(X, y)
    assert model.n_iter_ == 8
    assert model.loss_curve_[:4] == first
    assert model.loss_curve_[4] < first[3]
    cold = quick(prior=None, learning_rate=0.01).fit(X, y).fit(X, y)
    assert cold.n_iter_ == 4


@pytest.mark.parametrize("prior", ["normal", None])
def test_warm_start_keeps_old_tokens_and_takes_new_ones(prior, quick):
    X = np.array(["a", "b", "c", "a"])[:, None]
    model = quick(prior=prior, warm_start=True).fit(X, np.arange(4.0))
    old = model.embedding_.copy()
    model.fit(np.array([["d"], ["a"]]), [5.0, 1.0])
    assert model.categories_[0].tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(model.embedding_[1:3], old[1:3])
    assert (model.embedding_[0] != old[0]).any()
    assert model.category_counts_[0].tolist() == [3.0, 1.0, 1.0, 1.0]


def test_partial_fit_in_chunks_comes_near_one_fit(many_tokens):
    X, y = many_tokens.X, many_tokens.y
    params = {"model": no_head, "epochs": 60, "random_state": 0}
    whole = EmbeddingRegressor(1, **params).fit(X, y)
    chunks = EmbeddingRegressor(1, **params)
    for part in np.array_split(np.arange(len(X)), 4):
        chunks.partial_fit(X[part], y[part])
    np.testing.assert_array_equal(chunks.categories_[0], whole.categories_[0])
    np.testing.assert_array_equal(chunks.category_counts_[0], whole.category_counts_[0])
    tokens = whole.categories_[0][:, None]
    gap = chunks.predict(tokens) - whole.predict(tokens)
    spread = whole.predict_std(tokens, include_noise=False)
    assert np.sqrt(np.mean(np.square(gap / spread))) < 0.5
    np.testing.assert_allclose(
        chunks.predict_std(tokens, include_noise=False), spread, rtol=0.25
    )


@pytest.mark.parametrize("prior", ["normal", None])
def test_partial_fit_forgets_no_token(prior, quick):
    model = quick(prior=prior)
    model.fit([["a"], ["b"], ["a"]], [1.0, 2.0, 3.0])
    old = model.embedding_.copy()
    model.partial_fit([["a"], ["c"]], [2.0, 5.0])
    assert model.categories_[0].tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(model.embedding_[1], old[1])


def test_fold_in_moves_nothing_but_the_tokens_of_its_rows():
    data = make_token_outcomes(3_000, 30, effects="normal", random_state=0)
    X, y = data
    new = X[:, 0] >= 28
    model = EmbeddingRegressor(4, (16,), epochs=30, random_state=0)
    model.fit(X[~new], y[~new])
    before, std = model.embedding_.copy(), model.embedding_std_.copy()
    dense = {k: v.copy() for k, v in model._fitted.weights.dense.items()}
    unknown = model.predict([[28]])
    model.fold_in(X[new], y[new])
    assert model.categories_[0].tolist() == list(range(30))
    np.testing.assert_array_equal(model.embedding_[:28], before)
    np.testing.assert_array_equal(model.embedding_std_[:28], std)
    for name, value in model._fitted.weights.dense.items():
        np.testing.assert_array_equal(value, dense[name])
    for token in (28, 29):
        mean = y[X[:, 0] == token].mean()
        np.testing.assert_allclose(model.predict([[token]])[0], mean, atol=1.0)
    assert model.predict([[99]]) == unknown
    with pytest.raises(NotFittedError):
        EmbeddingRegressor().fold_in(X, y)


def test_learning_rate_schedules(mixed, quick):
    X, y = mixed
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 10, 0.5)
    by_schedule = quick(learning_rate=schedule, prior=None).fit(X, y)
    by_optimizer = quick(optimizer=keras.optimizers.Adam(schedule), prior=None)
    equal_fits(by_schedule, by_optimizer.fit(X, y))
    constant = quick(learning_rate=1e-2, prior=None).fit(X, y)
    assert constant.loss_curve_ != by_schedule.loss_curve_


@pytest.mark.parametrize("n", [150, 300])
def test_a_number_is_no_name_of_a_row(n):
    """A bin of its own for every row would take all noise for an effect."""

    def draw(n, rng):
        X = pd.DataFrame({"token": rng.integers(0, 4, n), "number": rng.normal(size=n)})
        return X, 2.0 * X["token"] + rng.normal(size=n)

    rng = np.random.default_rng(0)
    model = EmbeddingRegressor(random_state=0).fit(*draw(n, rng))
    X, y = draw(3_000, rng)
    assert model.score(X, y) > 0.78  # 0.83 at best
    assert 0.7 < model.noise_scale_ < 1.2
    low, high = model.predict_interval(X, 0.9).T
    assert ((low <= y) & (y <= high)).mean() > 0.8

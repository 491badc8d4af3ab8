"""The types that a file of skops holds for an estimator of this library."""

TRUSTED_TYPES = [
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "decimal.Decimal",
    "skembed._classifier.EmbeddingClassifier",
    "skembed._cross_fit.output.EncoderOutput",
    "skembed._cross_fit.target_means.TokenSums",
    "skembed._data.blend.Blend",
    "skembed._data.blend.Slots",
    "skembed._data.features.FeatureEncoder",
    "skembed._data.hierarchy.Level",
    "skembed._data.hierarchy.ParentMap",
    "skembed._data.lookup.Vocabulary",
    "skembed._data.numbers.NumberScale",
    "skembed._data.rows.Observations",
    "skembed._data.several.OneToken",
    "skembed._data.several.SeveralTokens",
    "skembed._data.shared.Shared",
    "skembed._data.crosses.Cross",
    "skembed._data.slopes.Slope",
    "skembed._data.token_features.TokenFeatures",
    "skembed._data.tokens.TokenIndex",
    "skembed._encoder.EmbeddingEncoder",
    "skembed._model.fitted.Fitted",
    "skembed._model.intervals.ResidualQuantiles",
    "skembed._model.calibration.LogOdds",
    "skembed._model.likelihoods.AbsoluteError",
    "skembed._model.likelihoods.Bernoulli",
    "skembed._model.likelihoods.Categorical",
    "skembed._model.likelihoods.Counts",
    "skembed._model.likelihoods.Gamma",
    "skembed._model.likelihoods.Huber",
    "skembed._model.likelihoods.Poisson",
    "skembed._model.likelihoods.Quantile",
    "skembed._model.likelihoods.SquaredError",
    "skembed._model.network.Architecture",
    "skembed._model.network.Weights",
    "skembed._model.row_noise.RowNoise",
    "skembed._model.tables.PointTable",
    "skembed._model.tables.PosteriorTable",
    "skembed._regressor.EmbeddingRegressor",
    "skembed._similarity.TokenSimilarity",
    "skembed._space.metrics.Space",
    "skembed._space.token_tables.TokenTable",
]
"""Names of all types that a file of skops holds for an estimator of this library.

They hold data and nothing else: loading them runs none of what the file brings. Those
of Python are what tokens may be. A head or an activation of one's own is not among
them, nor are callbacks.

>>> import skops.io
>>> from skembed import EmbeddingRegressor
>>> from skembed.export import TRUSTED_TYPES
>>> model = EmbeddingRegressor(2, epochs=2).fit([["red"], ["blue"]] * 20, [1, 2] * 20)
>>> again = skops.io.loads(skops.io.dumps(model), trusted=TRUSTED_TYPES)
>>> bool((again.predict([["red"]]) == model.predict([["red"]])).all())
True
"""

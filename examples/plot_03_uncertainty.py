"""
Rare tokens know that they are rare
===================================

A token seen twice should not have a vector as sure of itself as one seen two thousand
times. With ``prior="normal"``, the default, every vector is a distribution, and how far
it is drawn towards the others follows from the data.
"""

# %%
# A thousand tokens with a long tail: the first has thousands of rows, the last ones a
# few. Effects have standard deviation 10 and noise 20, so a single row says little.

import matplotlib.pyplot as plt
import numpy as np

from skembed import EmbeddingRegressor
from skembed.datasets import make_token_outcomes

data = make_token_outcomes(
    20_000,
    1000,
    effects="normal",
    effect_scale=10,
    noise_scale=20,
    counts="zipf",
    return_X_y=False,
    random_state=0,
)
posterior = EmbeddingRegressor(epochs=20, random_state=0).fit(data.X, data.y)
points = EmbeddingRegressor(prior=None, epochs=20, random_state=0).fit(data.X, data.y)

# %%
# The best any predictor can do here is known: with the true variances :math:`s^2` of
# the effects and :math:`\sigma^2` of the noise, the mean of a token's `n` rows is
# multiplied by :math:`s^2 / (s^2 + \sigma^2 / n)`. The estimator is given neither of
# the variances. We compare mean squared errors of the effects, every observation of a
# token counting.

tokens = posterior.categories_[0]
counts = posterior.category_counts_[0]
truth = data.effects[0][tokens]
means = np.bincount(data.X[:, 0], weights=data.y, minlength=1000)[tokens] / counts

shrinkage = 10**2 / (10**2 + 20**2 / counts)
candidates = {
    "best possible": shrinkage * means,
    'prior="normal"': posterior.predict(tokens[:, None]),
    "prior=None": points.predict(tokens[:, None]),
    "mean of the token": means,
}
for name, predicted in candidates.items():
    error = np.average((predicted - truth) ** 2, weights=counts)
    print(f"{name:18} {error:6.2f}")
print(f"noise found: {posterior.noise_scale_:.1f}")

# %%
# Left: what is predicted for a token over the mean of its rows. Frequent tokens
# (yellow) stay on the diagonal, rare ones (dark) are drawn in. Right: the standard
# deviation of the prediction's mean over the number of rows. It falls about as theory
# says for the true variances (the line); where there is one row only, it is hardly less
# than the spread of the effects themselves.

std = posterior.predict_std(tokens[:, None], include_noise=False)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
shown = left.scatter(means, candidates['prior="normal"'], c=np.log10(counts), s=12)
left.axline((0, 0), slope=1, color="black", linewidth=0.8, linestyle="--")
left.set(xlabel="mean outcome of the token", ylabel="predicted", xlim=(-60, 60))
figure.colorbar(shown, ax=left, label="log10 rows")
n = np.geomspace(1, counts.max())
right.loglog(counts, std, "o", markersize=3, alpha=0.5, label="found")
right.loglog(n, (1 / 10**2 + n / 20**2) ** -0.5, color="black", label="theory")
right.set(xlabel="rows of the token", ylabel="standard deviation")
right.legend(frameon=False)
plt.show()

# %%
# Standard deviations are only worth something if they are right. On new data from the
# same source, 90 % intervals should hold nine of ten outcomes, for rare tokens as well
# as for common ones.

rng = np.random.default_rng(1)
new = rng.choice(tokens, size=20_000)
y_new = data.effects[0][new] + rng.normal(scale=20, size=20_000)
predicted, spread = posterior.predict(new[:, None], return_std=True)
inside = np.abs(y_new - predicted) < 1.6449 * spread
rows = counts[np.searchsorted(tokens, new)]
for low, high in ((1, 5), (6, 50), (51, 10_000)):
    group = (rows >= low) & (rows <= high)
    print(f"{low:3} to {high:6} rows: {inside[group].mean():.1%} held")

# %%
# Those intervals take the noise to be normal, as it is here. With
# :meth:`~skembed.EmbeddingRegressor.predict_interval` it need not be: the shape of the
# interval is that of the training rows' residuals. Take the same effects with noise of
# an exponential distribution. It has a sharp lower edge and a long upper tail, and an
# interval of 90 % should have a twentieth of the outcomes on either side.

y_skewed = data.effects[0][data.X[:, 0]] + rng.exponential(20, size=len(data.X))
skewed = EmbeddingRegressor(epochs=20, random_state=0).fit(data.X, y_skewed)
y_new = data.effects[0][new] + rng.exponential(20, size=len(new))
predicted, spread = skewed.predict(new[:, None], return_std=True)
intervals = {
    "mean +- 1.64 std": (predicted - 1.6449 * spread, predicted + 1.6449 * spread),
    "predict_interval": skewed.predict_interval(new[:, None], coverage=0.9).T,
}
for name, (lower, upper) in intervals.items():
    below, above = (y_new < lower).mean(), (y_new > upper).mean()
    width = (upper - lower).mean()
    print(f"{name}: {below:.1%} below, {above:.1%} above, mean width {width:.0f}")

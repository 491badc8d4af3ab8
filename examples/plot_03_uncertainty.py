"""
Uncertainty: rare and frequent tokens
=====================================

The vector of a token with two rows should be more uncertain than that of a token with
two thousand. With ``prior="normal"``, the default, every vector is a distribution, and
the data determine how far it shrinks towards the prior.
"""

# %%
# There are a thousand tokens with a long tail: the first has thousands of rows, the
# last ones only a few. The effects have standard deviation 10 and the noise has 20, so
# a single row carries little information.

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
# The best possible predictor is known here. It knows the variances :math:`s^2` of the
# effects and :math:`\sigma^2` of the noise, and multiplies the mean of a token's `n`
# rows by :math:`s^2 / (s^2 + \sigma^2 / n)`. The estimator is given neither variance.
# We compare mean squared errors of the effects, weighted by the rows of each token.

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
# The left plot shows the prediction for each token over the mean of its rows. Frequent
# tokens (yellow) stay on the diagonal, rare ones (dark) shrink towards the middle. The
# right plot shows the standard deviation of the predicted mean over the number of rows.
# It falls about as the theory says for the true variances (the line). For a token with
# a single row it is hardly smaller than the spread of the effects themselves.

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
# Are the standard deviations right? On new data from the same source, 90 % intervals
# should contain nine of ten outcomes, for rare tokens as well as for common ones.

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
# These intervals assume normal noise, which is right here.
# :meth:`~skembed.EmbeddingRegressor.predict_interval` does not assume it: the shape of
# the interval is that of the residuals. Take the same effects with exponential noise,
# which has a sharp lower edge and a long upper tail. A 90 % interval should leave 5 %
# of the outcomes on either side.

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

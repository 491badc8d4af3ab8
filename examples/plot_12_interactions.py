"""
Interactions: what a single number a token cannot say
=====================================================

Target encoders give a token one number. That is enough if effects add up. If the effect
of a token depends on the other column's token (this reader likes that author), a vector
is needed.
"""

# %%
# Two columns of 60 tokens. Outcomes are the sum of the effects and of an interaction of
# three hidden factors a token, plus noise of standard deviation 1.

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import TargetEncoder

from skembed import EmbeddingRegressor
from skembed.datasets import make_token_outcomes

data = make_token_outcomes(
    12_000,
    60,
    n_columns=2,
    effects="normal",
    effect_scale=1,
    noise_scale=1,
    interaction_rank=3,
    interaction_scale=2,
    return_X_y=False,
    random_state=0,
)
X_train, X_test, y_train, _, _, mean_test = train_test_split(
    data.X, data.y, data.mean, random_state=0
)
regressor = EmbeddingRegressor(epochs=25, random_state=0).fit(X_train, y_train)
models = {
    "vectors": regressor,
    "target encoder + trees": make_pipeline(
        TargetEncoder(target_type="continuous"),
        HistGradientBoostingRegressor(random_state=0),
    ).fit(X_train, y_train),
}
print(f"variance to explain    {mean_test.var():.2f}")  # without the noise
for name, model in models.items():
    error = np.mean((model.predict(X_test) - mean_test) ** 2)
    print(f"{name:22} squared error {error:.2f}")

# %%
# Are the hidden factors in the vectors? They need not be coordinates of their own: the
# network may mix them and spread them. But the best linear map from the vectors to the
# true factors should find them.

import matplotlib.pyplot as plt

vectors = regressor.embeddings_[0] - regressor.embeddings_[0].mean(axis=0)
factors = data.factors[0] - data.factors[0].mean(axis=0)
recovered = vectors @ np.linalg.lstsq(vectors, factors)[0]
figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained")
for k, ax in enumerate(axes):
    r = np.corrcoef(factors[:, k], recovered[:, k])[0, 1]
    ax.plot(factors[:, k], recovered[:, k], "o", markersize=4)
    ax.set(title=f"factor {k + 1}, r = {r:.2f}", xlabel="true")
axes[0].set_ylabel("recovered from the vectors")
plt.show()

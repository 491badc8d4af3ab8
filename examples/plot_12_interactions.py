"""
Interactions: more than one number per token
============================================

Target encoders give every token one number. That is enough if effects add up. If the
effect of a token depends on the token of another column (this reader likes that
author), a vector is needed.
"""

# %%
# There are two columns of 60 tokens. An outcome is the sum of the effects, an
# interaction with three hidden factors per token, and noise with standard deviation 1.

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
# Do the vectors contain the hidden factors? The factors need not be single coordinates,
# because the network may mix them. But the best linear map from the vectors to the true
# factors should recover them.

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

"""
A first experiment: five tokens and their effects
=================================================

A token is a value that is only a name: a colour, a player, a zip code. Suppose that
every token has an effect on an outcome, and that we observe only noisy outcomes, never
the effects. Can a network that is trained to predict the outcome learn which tokens are
alike?

This is the smallest experiment that shows that it can. Everything else in the library
follows from it.
"""

# %%
# The data
# --------
# There are five tokens. Their effects are -20, -10, 0, 10 and 20, in an unknown order.
# Each of the 10,000 outcomes is the effect of a random token plus normal noise with
# standard deviation 2. We keep the truth in `data` for the comparison at the end.

import numpy as np

from skembed import TokenOutcomeDisplay
from skembed.datasets import make_token_outcomes

data = make_token_outcomes(
    10_000, 5, effect_scale=20, noise_scale=2, return_X_y=False, random_state=0
)
print(data.X[:6].ravel(), "->", data.y[:6].round(1))

# %%
# The first plot shows the outcomes in the order of the observations, coloured by token.
# They form five bands. The label of a token does not tell where its band lies.

display = TokenOutcomeDisplay.from_tokens(data.X[:, 0], data.y, feature_name="token")

# %%
# The network
# -----------
# The network looks up the vector of the token, four numbers that start at random. It
# passes the vector through four small layers and predicts one number. Prediction errors
# are propagated back through the layers to the vectors. In Keras this would be an
# `Embedding` layer and five `Dense` layers; here it is one estimator. `prior=None`
# gives plain vectors; the other kind follows below.

from skembed import EmbeddingRegressor

regressor = EmbeddingRegressor(
    embedding_dim=4,
    hidden_layer_sizes=(10, 8, 6, 4),
    activation=("relu", "linear", "linear", "linear"),
    prior=None,
    optimizer="rmsprop",
    learning_rate=1e-3,
    batch_size=1000,
    epochs=100,
    random_state=0,
).fit(data.X, data.y)

# %%
# The mean squared error falls from about 200, the variance of the outcomes, to about 4.
# It cannot fall lower: 4 is the variance of the noise, which cannot be predicted.

from skembed import LossCurveDisplay

print(
    f"first epoch {regressor.loss_curve_[0]:.1f}, last {regressor.loss_curve_[-1]:.2f}"
)
display = LossCurveDisplay.from_estimator(
    regressor, reference=data.noise_scale**2, reference_label="variance of the noise"
)

# %%
# The third plot shows predictions over outcomes. There are five levels, one per token,
# because the token is all that the model knows.

from skembed import PredictionDisplay

display = PredictionDisplay.from_estimator(regressor, data.X, data.y)

# %%
# The vectors
# -----------
# The predictions were only a means. What we want are the vectors.

for token, vector in zip(regressor.categories_[0], regressor.embedding_, strict=True):
    print(token, vector.round(2))

# %%
# The effects cannot be read off these numbers. But take one token, here the one with
# the lowest effect, and compute the distance of its vector from all others. The
# distances are ordered as the effects are:

effects = data.effects[0]
lowest = effects.argmin()
distances = np.linalg.norm(regressor.embedding_ - regressor.embedding_[lowest], axis=1)
for token in np.argsort(effects):
    print(f"effect {effects[token]:5.0f}   distance {distances[token]:.2f}")

# %%
# So tokens with near vectors act alike, although the network was never told which ones
# are alike. :class:`~skembed.TokenSimilarity` answers the same question in one line:

from sklearn.frozen import FrozenEstimator

from skembed import TokenSimilarity

similarity = TokenSimilarity(FrozenEstimator(regressor)).fit(data.X, data.y)
print([token for token, _ in similarity.most_similar(int(lowest))])
print("by effect:", np.argsort(effects)[1:].tolist())

# %%
# Vectors can be added
# --------------------
# The mean of the vectors of the lowest and the highest token is a vector of no token.
# The nearest token is the one in the middle, whose effect is the mean of the two.

highest = int(effects.argmax())
mix = similarity.mix({int(lowest): 0.5, highest: 0.5}, n=3)
for token, distance in mix.neighbors:
    print(f"effect {effects[token]:5.0f}   distance {distance:.2f}")

# %%
# The same with default parameters
# --------------------------------
# The network above was chosen by hand. With its default parameters the estimator
# chooses the network itself and learns a distribution for every vector. It recovers the
# effects and the standard deviation of the noise, which is 2.

default = EmbeddingRegressor(random_state=0).fit(data.X, data.y)
found = default.predict(default.categories_[0][:, None])
print(f"noise {default.noise_scale_:.2f}")
print("effects found", found.round(2))
print("effects true ", effects)

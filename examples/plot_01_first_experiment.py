"""
Five tokens and what they do
============================

A token is a value without a number of its own: a colour, a player, a zip code. Suppose
that every token has an effect on an outcome, and that we never see the effects, only
outcomes with noise on them. Can a network that is asked to predict the outcome find
out, on the way, which tokens are alike?

This is the smallest experiment that shows it can. Everything else in the library
follows from it.
"""

# %%
# The data
# --------
# There are five tokens. Their effects are -20, -10, 0, 10 and 20, in an order we are
# not told. Ten thousand times a token is drawn, and its outcome is the token's effect
# plus normal noise of standard deviation 2. We keep the truth in `data` to compare with
# at the end.

import numpy as np

from skembed import TokenOutcomeDisplay
from skembed.datasets import make_token_outcomes

data = make_token_outcomes(
    10_000, 5, effect_scale=20, noise_scale=2, return_X_y=False, random_state=0
)
print(data.X[:6].ravel(), "->", data.y[:6].round(1))

# %%
# The first picture: outcomes over the number of the observation, coloured by token.
# Five bands, and the number of a token says nothing about where its band lies.

display = TokenOutcomeDisplay.from_tokens(data.X[:, 0], data.y, feature_name="token")

# %%
# The network
# -----------
# The network looks up a vector of four numbers for the token (they start at random),
# sends it through four small layers, and predicts one number. Prediction errors are
# sent back through the layers into the vectors. In Keras this would be an `Embedding`
# layer and five `Dense` layers; here it is one estimator. `prior=None` asks for plain
# vectors; we come to the other kind below.

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
# It cannot fall lower: 4 is the variance of the noise, which nothing in the data
# predicts.

from skembed import LossCurveDisplay

print(
    f"first epoch {regressor.loss_curve_[0]:.1f}, last {regressor.loss_curve_[-1]:.2f}"
)
display = LossCurveDisplay.from_estimator(
    regressor, reference=data.noise_scale**2, reference_label="variance of the noise"
)

# %%
# The third picture, predictions over outcomes, shows five levels: all that can be
# predicted is which token it was.

from skembed import PredictionDisplay

display = PredictionDisplay.from_estimator(regressor, data.X, data.y)

# %%
# The vectors
# -----------
# The predictions were the excuse. What we wanted are the vectors.

for token, vector in zip(regressor.categories_[0], regressor.embedding_, strict=True):
    print(token, vector.round(2))

# %%
# Nobody would read an effect off these numbers. But take one token, here the one with
# the lowest effect, and measure how far its vector is from all the others. The
# distances grow as the effects do:

effects = data.effects[0]
lowest = effects.argmin()
distances = np.linalg.norm(regressor.embedding_ - regressor.embedding_[lowest], axis=1)
for token in np.argsort(effects):
    print(f"effect {effects[token]:5.0f}   distance {distances[token]:.2f}")

# %%
# So tokens with near vectors act alike, and the network was not told what "alike" is.
# :class:`~skembed.TokenSimilarity` answers the same question without the NumPy:

from sklearn.frozen import FrozenEstimator

from skembed import TokenSimilarity

similarity = TokenSimilarity(FrozenEstimator(regressor)).fit(data.X, data.y)
print([token for token, _ in similarity.most_similar(int(lowest))])
print("by effect:", np.argsort(effects)[1:].tolist())

# %%
# Vectors can be added
# --------------------
# Half of the lowest and half of the highest token is a vector that belongs to nobody.
# The nearest token is the one in the middle, whose effect is the mean of the two.

highest = int(effects.argmax())
mix = similarity.mix({int(lowest): 0.5, highest: 0.5}, n=3)
for token, distance in mix.neighbors:
    print(f"effect {effects[token]:5.0f}   distance {distance:.2f}")

# %%
# The same with nothing to set
# ----------------------------
# The network above was chosen by hand. The default estimator chooses for itself, and it
# learns a distribution for every vector. It finds the effects and the standard
# deviation of the noise, which is 2.

default = EmbeddingRegressor(random_state=0).fit(data.X, data.y)
found = default.predict(default.categories_[0][:, None])
print(f"noise {default.noise_scale_:.2f}")
print("effects found", found.round(2))
print("effects true ", effects)

"""
Your own Keras head, and callbacks
==================================

Any Keras model can read the vectors in place of the hidden layers. The tables and their
posterior stay the same.
"""

# %%
# `model` is a function that takes a dict and returns a Keras model from ``n_inputs``
# numbers to ``n_outputs``. The inputs are the vectors of all columns, one after the
# other, and the numbers. Layers with a state or with randomness, such as batch
# normalisation and dropout, are supported.

import keras

from skembed import EmbeddingRegressor, LossCurveDisplay
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
some = flights.frame.sample(8000, random_state=0)
X, y = some[["carrier", "origin", "dest", "month", "hour"]], some["air_time"]


def residual_head(meta):
    inputs = keras.Input((meta["n_inputs"],))
    x = keras.layers.Dense(32, activation="silu")(inputs)
    for _ in range(2):
        block = keras.layers.LayerNormalization()(x)
        block = keras.layers.Dense(32, activation="silu")(block)
        x = keras.layers.add([x, block])
    return keras.Model(inputs, keras.layers.Dense(meta["n_outputs"])(x))


keras.utils.set_random_seed(0)  # the first weights of the head are Keras's
regressor = EmbeddingRegressor(model=residual_head, epochs=10, random_state=0)
regressor.fit(X, y)
print(f"R2 {regressor.score(X, y):.3f}, noise {regressor.noise_scale_:.1f} minutes")

# %%
# `model_` is the trained network as one Keras model, from the codes of the tokens to
# the prediction.

model = regressor.model_
print(model.count_params(), "weights")
inputs = regressor.model_inputs(X.head(3))
print({name: value.shape for name, value in inputs.items()})
print(
    model.predict(inputs, verbose=0).ravel().round(1),
    regressor.predict(X.head(3)).round(1),
)

# %%
# Callbacks
# ---------
# Keras callbacks are called at the end of every epoch, on a model with the current
# weights. Here one halves the learning rate when the loss on the held-out rows,
# "val_loss", stops falling. Without `early_stopping` there is only "loss".

slower = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=2)
regressor = EmbeddingRegressor(
    epochs=20,
    early_stopping=True,
    n_iter_no_change=5,
    callbacks=[slower],
    random_state=0,
).fit(X, y)
print(f"stopped after {regressor.n_iter_} epochs")

# %%
# The plot shows the loss of every epoch on the training rows and on the held-out rows,
# both in nats per observation. The training loss includes the Kullback-Leibler term of
# the vectors, so it is not always the lower one.

display = LossCurveDisplay.from_estimator(regressor)

"""Keras heads that several test modules share."""

import keras


def no_head(meta):
    return keras.Sequential(
        [
            keras.Input((meta["n_inputs"],)),
            keras.layers.Rescaling(0.0),
            keras.layers.Dense(meta["n_outputs"]),
        ]
    )


def small_head(meta):
    """A head with a layer of its own, curved so that its slopes differ by row."""
    inputs = keras.Input((meta["n_inputs"],))
    hidden = keras.layers.Dense(5, activation="tanh")(inputs)
    return keras.Model(inputs, keras.layers.Dense(meta["n_outputs"])(hidden))

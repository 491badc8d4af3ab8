"""Ordinary Keras callbacks, driven from the compiled loop."""

import copy

import keras
import numpy as np

from . import bridge
from .network import Network


class KerasCallbacks:
    """Calls Keras callbacks at epoch ends, on a model that holds the weights.

    The model is a mirror: before each call it gets the run's weights; what callbacks
    change is carried back: `stop_training`, the learning rate and, at the end,
    weights that a callback restored. Batches are inside of the compiled call, so the
    hooks of batches are not called.
    """

    def __init__(self, callbacks, fitted, run, validation_curve):
        self.network = Network(fitted)
        model = self.network.model
        rate = run.options.learning_rate
        self.rate = rate(0) if callable(rate) else rate
        model.compile(optimizer=keras.optimizers.SGD(self.rate), loss="mse")
        self.validation_curve = validation_curve
        # Copies: a callback keeps what it has seen, and a parameter must not change.
        callbacks = [copy.copy(c) for c in bridge.callbacks(callbacks)]
        self.list = keras.callbacks.CallbackList(
            callbacks,
            model=model,
            epochs=run.options.epochs,
            steps=run.steps_per_epoch,
            verbose=0,
        )
        model.stop_training = False
        self.list.on_train_begin()
        self._steered(run, self.list.on_epoch_begin, 0)

    def epoch(self, run):
        """End of an epoch; True where a callback asks to stop."""
        model, n = self.network.model, len(run.loss_curve)
        self.network.put(run.weights())
        logs = {"loss": run.loss_curve[-1]}
        if self.validation_curve:
            logs["val_loss"] = self.validation_curve[-1]
        self.logs = logs
        self._steered(run, self.list.on_epoch_end, n - 1, logs)
        if model.stop_training:
            return True
        if n < run.options.epochs:
            self._steered(run, self.list.on_epoch_begin, n)
        return False

    def _steered(self, run, hook, *args):
        """Call a hook that may read the learning rate, and carry its change back."""
        held = self.network.model.optimizer.learning_rate
        rate = run.options.learning_rate
        base = rate(run.steps) if callable(rate) else rate
        held.assign(base * run.learning_rate_factor)
        before = float(np.asarray(held))
        hook(*args)
        after = float(np.asarray(held))
        if after != before:
            run.learning_rate_factor = after / base

    def finish(self, run):
        """End of training: weights that a callback put back become the run's."""
        before = run.weights()
        self.network.put(before)
        held = [np.array(w) for w in self.network.model.get_weights()]
        self.list.on_train_end(getattr(self, "logs", None))
        now = self.network.model.get_weights()
        if any((a != b).any() for a, b in zip(held, now, strict=True)):
            run.restore(self.network.take(before))

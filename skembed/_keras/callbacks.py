"""Ordinary Keras callbacks, driven from the compiled loop."""

import copy

import keras
import numpy as np

from .._training.hooks import Hook
from . import bridge
from .names import same_names
from .network import Network


class KerasCallbacks(Hook):
    """Calls Keras callbacks at epoch ends, on a model that holds the weights.

    The model is a mirror. Before each call it gets the weights of the run; what
    callbacks change is carried back: `stop_training`, the learning rate and, at the
    end, weights that a callback restored. Batches run inside the compiled call, so
    their hooks are not called.

    Parameters
    ----------
    callbacks : callback, class, or list or dict of them
    fitted : Fitted
        The network before training.
    options : Options
        Of the first phase.
    n_steps_per_epoch : int
    validation_curve : list of float or None
        Filled by the hook before this one.
    """

    def __init__(self, callbacks, fitted, options, n_steps_per_epoch, validation_curve):
        self.network = Network(fitted)
        model = self.network.model
        rate = options.learning_rate
        rate = rate(0) if callable(rate) else rate
        with same_names():
            model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse")
        self.validation_curve = validation_curve
        # Copies: callbacks change during a fit, and parameters must not.
        callbacks = [copy.copy(c) for c in bridge.callbacks(callbacks)]
        self.list = keras.callbacks.CallbackList(
            callbacks,
            model=model,
            epochs=options.epochs,
            steps=n_steps_per_epoch,
            verbose=0,
        )
        model.stop_training = False
        self.logs = None
        self.list.on_train_begin()
        self._steered(rate, self.list.on_epoch_begin, 0)

    def epoch(self, moment):
        """End of an epoch; True where a callback asks to stop."""
        model, n = self.network.model, len(moment.losses)
        self.network.put(moment.weights())
        logs = {"loss": moment.losses[-1]}
        if self.validation_curve:
            logs["val_loss"] = self.validation_curve[-1]
        self.logs = logs
        self._steered(moment.learning_rate, self.list.on_epoch_end, n - 1, logs)
        if model.stop_training:
            return True
        if n < moment.epochs:
            self._steered(moment.learning_rate, self.list.on_epoch_begin, n)
        return False

    def _steered(self, base, hook, *args):
        """Call a hook that may read the learning rate, and keep its change of it."""
        held = self.network.model.optimizer.learning_rate
        held.assign(base * self.rate_factor)
        before = float(np.asarray(held))
        hook(*args)
        after = float(np.asarray(held))
        if after != before:
            self.rate_factor = after / base

    def finish(self, moment):
        """End of training: weights that a callback put back become the run's."""
        before = moment.weights()
        self.network.put(before)
        held = [np.array(w) for w in self.network.model.get_weights()]
        self.list.on_train_end(self.logs)
        now = self.network.model.get_weights()
        if any((a != b).any() for a, b in zip(held, now, strict=True)):
            return self.network.take(before)
        return None

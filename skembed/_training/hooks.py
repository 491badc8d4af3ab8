"""What looks at a training run after every epoch: validation, progress, callbacks.

A hook has ``epoch(moment) -> bool`` (True stops the run), ``finish(moment)``, which
returns the weights to end with, or None to leave them, and `rate_factor`, which the
learning rates of the steps to come are multiplied by.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._model.network import Weights
from .._sklearn import feature_names


@dataclass(frozen=True)
class Moment:
    """A run as it stands after an epoch.

    Attributes
    ----------
    losses : list of float
        Of all epochs so far.
    epochs : int
        Epochs of the run at most.
    learning_rate : float
        Of the next step, before the schedule and the hooks' factor.
    weights : callable
        Gives the weights; only called where a hook needs them, as it costs a copy.
    waits_from : int
        Number of epochs before those in which the loss may be waited for to fall.
    """

    losses: list
    epochs: int
    learning_rate: float
    weights: Callable[[], Weights]
    waits_from: int = 0


class Hook:
    """A hook that does nothing; others override parts of it."""

    rate_factor = 1.0

    def epoch(self, moment):
        """Look at the end of an epoch; say whether to stop."""
        return False

    def finish(self, moment):
        """Look at the end of the run; weights to end with, or None."""
        return None

    def state(self):
        """What there is to keep of it, for a run that goes on later."""
        return None

    def restore(self, state):
        """Go on from what was kept."""


class Hooks(Hook):
    """Several hooks as one: all are called, and the run stops if one says so."""

    validation_curve = None  # losses on held-out rows, where there are any
    keeper = None  # keeps the state of the run, where it is to be kept

    def __init__(self):
        self.hooks = []

    def add(self, hook):
        """Add a hook; it is called after those that are there."""
        self.hooks.append(hook)
        if isinstance(hook, EarlyStopping):
            self.validation_curve = hook.curve

    def __bool__(self):
        return bool(self.hooks)

    @property
    def rate_factor(self):
        """Product of the hooks' factors."""
        factor = 1.0
        for hook in self.hooks:
            factor *= hook.rate_factor
        return factor

    def epoch(self, moment):
        """Whether one of them says to stop; all are asked."""
        return any([hook.epoch(moment) for hook in self.hooks])

    def state(self):
        """What there is to keep of those that have a state."""
        states = [hook.state() for hook in self.hooks]
        return [state for state in states if state is not None]

    def restore(self, state):
        """Go on from what was kept."""
        hooks = [hook for hook in self.hooks if hook.state() is not None]
        for hook, own in zip(hooks, state, strict=True):
            hook.restore(own)

    def finish(self, moment):
        """Weights to end with, each hook seeing those of the hooks before it."""
        chosen = None
        for hook in self.hooks:
            weights = hook.finish(moment)
            if weights is not None:
                chosen = weights
                moment = replace(moment, weights=lambda weights=weights: weights)
        return chosen


class EarlyStopping(Hook):
    """Stops when the loss on held-out rows no longer falls; restores the best weights.

    Parameters
    ----------
    loss : callable
        Loss of some Weights on the held-out rows.
    tol : float
        A smaller fall of the loss does not count.
    patience : int
        Epochs without such a fall before the run stops.
    """

    def __init__(self, loss, tol, patience):
        self.loss = loss
        self.tol = tol
        self.patience = patience
        self.curve = []
        self.best = None
        self.best_epoch = 0

    def epoch(self, moment):
        """Compute the loss; stop where it has not fallen for long enough."""
        weights = moment.weights()
        loss = self.loss(weights)
        if self.best is None or loss < min(self.curve):
            self.best = weights
        if not self.curve or loss < min(self.curve) - self.tol:
            self.best_epoch = len(self.curve)
        self.curve.append(loss)
        since = max(self.best_epoch, moment.waits_from)
        return len(self.curve) - 1 - since >= self.patience

    def finish(self, moment):
        """Weights of the least loss."""
        return self.best

    def state(self):
        """The curve so far, and the best weights."""
        return self.curve, self.best, self.best_epoch

    def restore(self, state):
        """Go on from what was kept."""
        self.curve[:], self.best, self.best_epoch = state


class Progress(Hook):
    """Prints the loss: about ten lines per fit, or one per epoch from verbose=2 on."""

    def __init__(self, name, epochs, verbose):
        self.name = name
        self.epochs = epochs
        self.every = 1 if verbose > 1 else max(1, epochs // 10)
        self.began = time.perf_counter()

    def epoch(self, moment):
        """Print a line, if it is time for one."""
        n = len(moment.losses)
        if (n == 1 or n % self.every == 0) and n < self.epochs:
            self._print(moment, "")
        return False

    def finish(self, moment):
        """Print the last line."""
        self._print(moment, ", done")

    def _print(self, moment, note):
        n = len(moment.losses)
        seconds = time.perf_counter() - self.began
        print(
            f"[{self.name}] epoch {n:>{len(str(self.epochs))}}/{self.epochs}, "
            f"loss {moment.losses[-1]:.5g}, {seconds:.1f} s{note}",
            file=sys.stdout,
            flush=True,
        )


class SklearnCallbacks(Hook):
    """Drives callbacks of scikit-learn's own protocol (``sklearn.callback``).

    Parameters
    ----------
    estimator : estimator
    context : sklearn.callback.CallbackContext
    fitted : Fitted
        The network before training.
    seen : object
        With `table`, `y`, `weights` and `target`: what a callback may ask for.
    """

    def __init__(self, estimator, context, fitted, seen):
        self.estimator = estimator
        self.context = context
        self.fitted = fitted
        self.attributes = {**seen.target, "n_features_in_": seen.table.shape[1]}
        names = feature_names(seen.table)
        if names is not None:
            self.attributes["feature_names_in_"] = names
        self.data = {
            "X": seen.table,
            "y": seen.y,
            "metadata": {"sample_weight": seen.weights},
        }
        self._begin()

    def _begin(self):
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=self.estimator)

    def epoch(self, moment):
        """Hand an epoch's end on, with all that rebuilds the estimator as it stands."""

        def attributes():
            fitted = self.fitted.with_weights(moment.weights())
            return {**self.attributes, "_fitted": fitted}

        stop = self.task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=attributes,
            **self.data,
        )
        if not stop and len(moment.losses) < moment.epochs:
            self._begin()
        return stop

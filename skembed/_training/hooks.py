"""What looks at a training run after every epoch: validation, progress, callbacks.

A hook has ``epoch(run) -> bool`` (True stops the run) and ``finish(run)``; a run has
``loss_curve``, ``weights()`` and ``restore(weights)``.
"""

import sys
import time
from dataclasses import replace

from .._sklearn import feature_names


class Hooks:
    """Several hooks as one; calls them all, stops if one says so."""

    def __init__(self, hooks):
        self.hooks = hooks

    def __bool__(self):
        return bool(self.hooks)

    def __call__(self, run):
        return any([hook.epoch(run) for hook in self.hooks])

    def finish(self, run):
        for hook in self.hooks:
            hook.finish(run)


class EarlyStopping:
    """Stops when the loss on held-out rows no longer falls; restores the best.

    Parameters
    ----------
    loss : callable
        Loss of some Weights on the held-out rows.
    tol : float
        A fall by less does not count.
    patience : int
        Epochs without a fall that are waited for.
    """

    def __init__(self, loss, tol, patience):
        self.loss = loss
        self.tol = tol
        self.patience = patience
        self.curve = []
        self.best = None
        self.best_epoch = 0

    def epoch(self, run):
        weights = run.weights()
        loss = self.loss(weights)
        if self.best is None or loss < min(self.curve):
            self.best = weights
        if not self.curve or loss < min(self.curve) - self.tol:
            self.best_epoch = len(self.curve)
        self.curve.append(loss)
        return len(self.curve) - 1 - self.best_epoch >= self.patience

    def finish(self, run):
        if self.best is not None:
            run.restore(self.best)


class Progress:
    """Prints the loss: about ten lines a fit, or one an epoch from verbose=2 on."""

    def __init__(self, name, epochs, verbose):
        self.name = name
        self.epochs = epochs
        self.every = 1 if verbose > 1 else max(1, epochs // 10)
        self.began = time.perf_counter()

    def epoch(self, run):
        n = len(run.loss_curve)
        if (n == 1 or n % self.every == 0) and n < self.epochs:
            self._print(run, "")
        return False

    def finish(self, run):
        self._print(run, ", done")

    def _print(self, run, note):
        n = len(run.loss_curve)
        seconds = time.perf_counter() - self.began
        print(
            f"[{self.name}] epoch {n:>{len(str(self.epochs))}}/{self.epochs}, "
            f"loss {run.loss_curve[-1]:.5g}, {seconds:.1f} s{note}",
            file=sys.stdout,
            flush=True,
        )


class SklearnCallbacks:
    """Drives callbacks of scikit-learn's own protocol (``sklearn.callback``)."""

    def __init__(self, estimator, context, fitted, seen):
        self.estimator = estimator
        self.context = context
        self.fitted = fitted
        self.attributes = {**seen.learned, "n_features_in_": seen.X.shape[1]}
        names = feature_names(seen.X)
        if names is not None:
            self.attributes["feature_names_in_"] = names
        self.data = {
            "X": seen.X,
            "y": seen.y,
            "metadata": {"sample_weight": seen.weights},
        }
        self._begin()

    def _begin(self):
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(estimator=self.estimator)

    def epoch(self, run):
        def attributes():
            fitted = replace(self.fitted, weights=run.weights())
            return {**self.attributes, "_fitted": fitted}

        stop = self.task.call_on_fit_task_end(
            estimator=self.estimator,
            reconstruction_attributes=attributes,
            **self.data,
        )
        if not stop and len(run.loss_curve) < run.options.epochs:
            self._begin()
        return stop

    def finish(self, run):
        pass

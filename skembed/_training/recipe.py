"""From an estimator's parameters to the options of training on any problem."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .. import _settings as settings
from .problem import Options
from .schedule import Schedule, WarmUp, auto_batch_size, auto_epochs, steps_per_epoch


@dataclass(frozen=True)
class Recipe:
    """What the parameters say of training, before any rows are known.

    Attributes
    ----------
    rule : object
        Update rule of the dense weights, as the engine knows it.
    learning_rate : float or callable
    decay : {"cosine", "constant"}
    batch_size, epochs : int, or "auto"
    tol : float or None, or "auto"
    patience : int
    """

    rule: object
    learning_rate: float | Callable
    decay: str
    batch_size: int | str
    epochs: int | str
    tol: float | str | None
    patience: int

    @classmethod
    def of(cls, estimator, tables, optimizer):
        """Recipe of an estimator.

        Parameters
        ----------
        estimator : BaseEmbedding
            Its parameters are read.
        tables : type
            Kind of the tables.
        optimizer : tuple
            Update rule, learning rate, and whether that rate is only a default, which
            gives way to the default of the tables.
        """
        rule, rate, is_default = optimizer
        if is_default and tables.learning_rate is not None:
            rate = tables.learning_rate
        decay = "constant" if callable(rate) else tables.decay
        sizes = estimator.batch_size, estimator.epochs, estimator.tol
        return cls(rule, rate, decay, *sizes, estimator.n_iter_no_change)

    @property
    def is_auto(self):
        """Whether the number of epochs is not given but chosen here."""
        return isinstance(self.epochs, str)

    def options(self, problem, epochs=None):
        """Options of a fit."""
        rows, batch, tol = problem.rows, self.batch_size, self.tol
        most_rows = batch
        if isinstance(batch, str):
            batch = auto_batch_size(rows.n_counted, rows.n_shards)
            batch = rows.kept_batch or batch
            # Few epochs that are given may have no more steps than they need.
            most_rows = settings.GROWN_MOST if self.is_auto else batch
        per_epoch = steps_per_epoch(rows.n_counted, batch)
        if epochs is None and self.is_auto:
            epochs = auto_epochs(rows.n_counted, per_epoch)
        epochs = self.epochs if epochs is None else epochs
        if isinstance(tol, str):
            tol = settings.TOL if self.is_auto else None
        warm_up = WarmUp.of(rows.codes.shape[1], rows.n_counted)
        return Options(
            rule=self.rule,
            learning_rate=self.learning_rate,
            batch_size=int(batch),
            most_rows=int(most_rows),
            epochs=int(epochs),
            schedule=Schedule.over(int(epochs) * per_epoch, self.decay, warm_up),
            tol=tol,
            patience=self.patience,
        )

    def options_of_chunk(self, problem, share, epochs):
        """Options of a chunk of a stream.

        What earlier rows taught is in the priors, except for the layers. In many passes
        these would overfit the chunk. So there are fewer epochs, and the learning rate
        of the dense weights is multiplied by `share`, the chunk's share of all rows.
        """
        made = self.options(problem)
        made = replace(made, most_rows=made.batch_size)
        if not callable(self.learning_rate):
            made = replace(made, learning_rate=self.learning_rate * share)
        if not self.is_auto:
            return made
        per_epoch = steps_per_epoch(problem.rows.n_counted, made.batch_size)
        least = max(epochs, int(np.ceil(settings.CHUNK_STEPS / per_epoch)))
        return self._shorter(made, problem, min(made.epochs, least))

    def options_of_fresh_tables(self, problem, epochs):
        """Options of tables learned anew under a network that stays as it is."""
        if not problem.architecture.tables.has_likelihood:
            return self.options(problem, epochs)
        epochs = min(epochs, settings.FRESH_EPOCHS)
        made, total = self.options(problem, epochs), problem.rows.n_counted
        batch = min(int(np.ceil(total / settings.FRESH_STEPS)), settings.FRESH_BATCH)
        batch = max(made.batch_size, batch)
        n_steps = epochs * steps_per_epoch(total, batch)
        schedule = Schedule.over(n_steps, "cosine")
        made = replace(made, batch_size=batch, most_rows=batch)
        return replace(made, schedule=schedule, tol=None)

    def _shorter(self, made, problem, epochs):
        n_steps = epochs * steps_per_epoch(problem.rows.n_counted, made.batch_size)
        old = made.schedule
        schedule = Schedule.over(n_steps, old.decay, old.warm_up)
        return replace(made, epochs=epochs, schedule=schedule)

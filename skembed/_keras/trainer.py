"""Training, from NumPy arrays to NumPy arrays: a list of phases, epoch by epoch."""

import copy
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from .. import _settings as settings
from .._model.fitted import Fitted
from .._training.batches import Batches
from .._training.hooks import Hooks, Moment
from .._training.idle import narrowed, part_read
from .._training.parts import Whole
from .._training.problem import loosened, settled
from .._training.schedule import StopRule
from . import process
from .engine import Engine
from .group import NOBODY


@dataclass(frozen=True, eq=False)
class Trained:
    """What comes out of training.

    Attributes
    ----------
    fitted : Fitted
        The trained network.
    losses : list of float
        Objective of every epoch, per observation.
    snapshots : list of Fitted
        The network at the end of each phase that asked for it.
    """

    fitted: Fitted
    losses: list = field(default_factory=list)
    snapshots: list = field(default_factory=list)


def train(fitted, phases, rng, hooks=None, others=NOBODY):
    """Train a network phase by phase.

    Parameters
    ----------
    fitted : Fitted
        The network to start from.
    phases : list of Phase
    rng : numpy.random.Generator
        All randomness of the training.
    hooks : Hooks, default=None
        What looks at the run after every epoch.
    others : Nobody or Group
        Those who have parts of every batch, and train the same network.

    Returns
    -------
    trained : Trained

    Raises
    ------
    FloatingPointError
        If a loss is not finite.
    """
    process.check()
    hooks = Hooks() if hooks is None else hooks
    keeper, kept = hooks.keeper, None
    # Kernels are kept near where the fit began, in every phase.
    anchor, losses_, snapshots = fitted.weights, [], []
    first, stopped = 0, False
    if keeper is not None:
        kept = keeper.found(fitted, phases, rng)
    if kept is not None:
        first, rng, losses_ = kept["phase"], kept["rng"], kept["losses"]
        snapshots = [fitted.with_weights(weights) for weights in kept["snapshots"]]
        stopped = kept["stopped"]
        hooks = Hooks() if stopped else hooks
        hooks.restore(kept["hooks"])
    for number, phase in enumerate(phases[first:], first):
        if phase.always or not stopped:
            if phase.loosens:
                fitted = loosened(narrowed(fitted, phase.problem))
            if kept is not None and kept["start"] is not None:
                fitted = fitted.with_weights(kept["start"])
            part = phase.part or part_read(fitted, phase.problem)
            before = copy.deepcopy(rng)
            run = _Run(phase, part, anchor, rng, hooks, losses_, others)
            beside = {
                "phase": number,
                "rng": before,
                "stopped": stopped,
                "start": None if part == Whole() else fitted.weights,
                "snapshots": [one.weights for one in snapshots],
            }
            keep = keeper and partial(_keep, keeper, run, beside)
            weights, stops = run.to_the_end(fitted.weights, keep, kept)
            kept, fitted = None, fitted.with_weights(weights)
            if stops:  # For the hooks this was the end.
                fitted, hooks, stopped = _finished(fitted, hooks, run), Hooks(), True
        if phase.snapshot:
            snapshots.append(settled(fitted, phase.problem))
    return Trained(_finished(fitted, hooks, run), losses_, snapshots)


def _keep(keeper, run, beside, at):
    """Keep a run as it stands, if it is time to; `at` gives where it stands."""
    if keeper.is_due():
        own = {"losses": run.losses, "begun": run.begun, "hooks": run.hooks.state()}
        own["batch_size"] = run.options.batch_size
        keeper.keep({**beside, **own, "batches": run.batches.state(), "run": at()})


def _finished(fitted, hooks, run):
    """The network with the weights that the hooks want to end with."""
    weights = hooks.finish(run.moment(lambda: fitted.weights))
    return fitted if weights is None else fitted.with_weights(weights)


class _Run:
    """One phase under way; its losses are added to those of the phases before it."""

    def __init__(self, phase, part, anchor, rng, hooks, losses, others):
        self.whole, self.part = phase.problem, part
        self.problem = part.problem(phase.problem)
        self.options = phase.options
        self.batches = Batches(self.problem, phase.options, rng)
        self.anchor = part.weights(phase.problem, anchor).dense
        self.hooks = hooks
        self.losses = losses
        self.begun = len(losses)
        self.others = others

    def to_the_end(self, weights, keep=None, kept=None):
        """Train until the schedule ends or something says stop.

        Parameters
        ----------
        weights : Weights
            To start from.
        keep : callable, default=None
            Called after every epoch, with a function that gives where the run stands.
        kept : dict, default=None
            What was kept of this run, to go on from.

        Returns
        -------
        weights : Weights
        stops : bool
            Whether a hook has stopped it.
        """
        options, per_epoch = self.options, self.batches.n_steps_per_epoch
        own = self.part.weights(self.whole, weights)
        engine = Engine.of(
            self.problem,
            options.rule,
            self.anchor,
            self.batches,
            own.dense,
            self.others,
        )

        def found():
            return self.part.put_back(self.whole, weights, engine.weights(state))

        stop = StopRule(options.tol, options.patience)
        # The rule looks at the same epochs however many of them one call trains.
        every, left = max(1, settings.CALL_STEPS // per_epoch), 0
        if kept is None:
            state, schedule = engine.start(own), options.schedule
        else:
            state, schedule, left = kept["run"]
            state, self.begun = engine.restored(state), kept["begun"]
            self.batches.restore(kept["batches"])

        def at():
            return engine.kept(state), schedule, left

        while not schedule.done:
            left = left or min(every, schedule.epochs_left(per_epoch))
            while left:
                # Only one of several processes may have hooks, and all go together.
                looked = self.hooks or keep or self.others.n > 1
                n = 1 if looked or self.problem.nestings else left
                objectives = []
                for plan, held in self.batches.plans(
                    n, schedule, state.n_steps, self.hooks.rate_factor
                ):
                    state, of_steps = engine.advance(state, plan, held)
                    objectives.append(of_steps)
                engine.balanced(state)
                self._add(self.batches.epoch_means(objectives, n, schedule))
                schedule = schedule.after(n * per_epoch)
                if self.hooks and self.hooks.epoch(self.moment(found, state.n_steps)):
                    return found(), True
                left -= n
                if keep and left:
                    keep(at)
            if not schedule.finishing and stop(self.losses[self.begun :]):
                schedule = schedule.finish(per_epoch)
            if keep:
                keep(at)
        return found(), False

    def _add(self, losses):
        """Add the losses of some epochs to the curve."""
        losses = losses + self.problem.loss_shift
        self.losses.extend(losses.tolist())
        if not np.isfinite(losses).all():
            raise FloatingPointError(
                f"The loss became {losses[-1]} in epoch {len(self.losses)}: the "
                "training diverged. Lower learning_rate, or scale y."
            )

    def moment(self, weights, n_steps=0):
        """What hooks see of the run."""
        rate = self.options.learning_rate
        rate = rate(n_steps) if callable(rate) else rate
        # The layers are still to come: what is held out cannot stop the run yet.
        waits_from = len(self.losses) if self.part.layers_follow else self.begun
        return Moment(self.losses, self.options.epochs, rate, weights, waits_from)

"""What looks at a run, as an estimator's parameters want it."""

from .._training.checkpoint import keeper_of, split_callbacks
from .._training.hooks import EarlyStopping, Hooks, Progress, SklearnCallbacks
from .._training.problem import problem_of
from .._training.rows import rows_for
from .._training.schedule import steps_per_epoch
from .callbacks import KerasCallbacks
from .group import NOBODY
from .held_out import loss


def hooks_of(estimator, fitted, phases, samples, held_out=None, others=NOBODY):
    """Hooks of a run.

    Parameters
    ----------
    estimator : BaseEmbedding
        Its parameters are read.
    fitted : Fitted
        The network before training.
    phases : list of Phase
    samples : Samples
        The rows, which callbacks may ask for.
    held_out : Observations, default=None
        Rows to stop by.
    others : Nobody or Group
        Those who train with this process.

    Returns
    -------
    hooks : Hooks
    """
    hooks, options = Hooks(), phases[0].options
    hooks.keeper = others.keeping(keeper_of(estimator))
    if held_out is not None:
        on_held_out, tol = _loss_on(fitted, held_out), options.tol or 0.0
        hooks.add(EarlyStopping(on_held_out, tol, options.patience))
    callbacks = split_callbacks(estimator.callbacks)[1]
    if callbacks is not None:
        n_steps = steps_per_epoch(phases[0].problem.rows.n_counted, options.batch_size)
        curve = hooks.validation_curve
        hooks.add(KerasCallbacks(callbacks, fitted, options, n_steps, curve))
    if getattr(estimator, "_skl_callbacks", None):
        context = estimator._init_callback_context(max_subtasks=options.epochs)
        context.call_on_fit_task_begin(estimator=estimator)
        hooks.add(SklearnCallbacks(estimator, context, fitted, samples))
    if estimator.verbose:
        name = type(estimator).__name__
        hooks.add(Progress(name, options.epochs, int(estimator.verbose)))
    return hooks


def _loss_on(fitted, held_out):
    """Loss on the held-out rows as a function of the weights."""
    problem = problem_of(fitted, rows_for(fitted, held_out))
    return lambda weights: loss(fitted.with_weights(weights), problem)

"""Rows that come later: warm starts, chunks of a stream, folding in, learning anew."""

from dataclasses import replace

import numpy as np

from .. import _settings as settings
from .phases import Continued, Phase
from .problem import problem_of, settled
from .rows import rows_for


def within_limits(kept):
    """The rows of a stream, or None where they are too many to be kept."""
    if kept is None or kept.weights.sum() > settings.REPLAY_ROWS:
        return None
    return kept


def warm_start(fitted, samples, kept, recipe):
    """Go on from a network with other rows, trained on as in a first fit.

    Parameters
    ----------
    fitted : Fitted
    samples : Samples
        The rows that come.
    kept : Observations or None
        All rows before them, where they were kept.
    recipe : Recipe

    Returns
    -------
    next_ : Continued
    """
    return _as_a_start(*_grown(fitted, samples), recipe)


def chunk(fitted, samples, kept, recipe):
    """Go on with a chunk: together with all rows before it while they are few.

    Else what they taught is the prior of each vector. Parameters: see `warm_start`.
    """
    fitted, rows = _grown(fitted, samples)
    kept = None if kept is None else within_limits(kept.more(*rows))
    if kept is not None:
        problem = problem_of(fitted, rows_for(fitted, kept))
        options = recipe.options_of_chunk(problem, 1.0, settings.REPLAY_EPOCHS)
        phase = Phase(problem, options)
        return Continued(fitted, kept, phase, problem.rows.total, kept, settles=True)
    if fitted.prior is None:
        return _as_a_start(fitted, rows, recipe)
    return _under_what_was_learned(fitted, rows, recipe)


def fold_in(fitted, samples, kept, recipe):
    """Learn vectors of tokens from a few more rows, with all else frozen.

    Parameters: see `warm_start`.
    """
    fitted, rows = _grown(fitted, samples)
    kept = None if kept is None else within_limits(kept.more(*rows))
    return _under_what_was_learned(
        fitted, rows, recipe, kept, frozen=True, moves=fitted.is_token.astype(float)
    )


def anew(fitted, rows, recipe, n_epochs, rng):
    """Learn the vectors of all tokens anew from `rows`, with all else frozen.

    The tokens start from the prior: what other rows taught is in the dense weights,
    the scales and the tables of the numbers only.
    """
    tokens, table, prior = fitted.is_token, fitted.weights.table, fitted.prior
    fresh = table.fresh(tokens, prior, rng)
    own = None
    if prior is not None:
        own = prior.rows(np.arange(len(tokens)))
    problem = problem_of(
        fitted,
        rows_for(fitted, rows),
        frozen=True,
        moves=tokens.astype(float),
        priors=own,
    )
    phase = Phase(problem, recipe.options_of_fresh_tables(problem, n_epochs))
    start = fitted.with_table(fresh)
    return Continued(start, rows, phase, fitted.n_seen, settles=True)


def continued(fitted, next_):
    """The network after training, `next_` being what was trained."""
    if next_.settles:
        fitted = settled(fitted, next_.phase.problem)
    return replace(fitted, n_seen=next_.n_seen)


def _grown(fitted, samples):
    """The network with a table row for every new token, and the rows encoded."""
    fitted.likelihood.check(samples.outcome)
    encoder, rows = samples.encode_more(fitted.encoder)
    return fitted.grown(encoder), rows


def _as_a_start(fitted, rows, recipe):
    """Go on with these rows only."""
    problem = problem_of(fitted, rows_for(fitted, rows))
    n_seen = problem.rows.total + fitted.n_seen
    return Continued(fitted, rows, Phase(problem, recipe.options(problem)), n_seen)


def _under_what_was_learned(fitted, rows, recipe, kept=None, **more):
    """Go on with each vector's posterior as its prior, where vectors have one."""
    table = fitted.weights.table
    priors = None if fitted.prior is None else table
    problem = problem_of(fitted, rows_for(fitted, rows), priors=priors, **more)
    n_seen = problem.rows.total + fitted.n_seen
    if priors is None:
        options = recipe.options(problem)
    else:
        share = problem.rows.total / n_seen
        options = recipe.options_of_chunk(problem, share, settings.CHUNK_EPOCHS)
    phase = Phase(problem, options)
    return Continued(fitted, rows, phase, n_seen, kept, says_all=False)

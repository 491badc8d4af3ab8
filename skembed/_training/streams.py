"""Rows that come later: warm starts, chunks of a stream, folding in, learning anew."""

from dataclasses import replace

import numpy as np

from .. import _settings as settings
from .phases import Continued, Phase, additive_first
from .problem import begun_again, problem_of, settled
from .rows import rows_for


def within_limits(kept):
    """The rows of a stream, or None where they are too many to be kept."""
    if kept is None or kept.weights.sum() > settings.REPLAY_ROWS:
        return None
    return kept


def warm_start(fitted, samples, kept, recipe, rng):
    """Go on from a network with other rows, trained on as in a first fit.

    Parameters
    ----------
    fitted : Fitted
    samples : Samples
        The rows that come.
    kept : Observations or None
        All rows before them, where they were kept.
    recipe : Recipe
    rng : numpy.random.Generator
        All randomness of the training.

    Returns
    -------
    next_ : Continued
    """
    return _as_a_start(*_grown(fitted, samples), recipe)


def chunk(fitted, samples, kept, recipe, rng):
    """Go on with a chunk: together with all rows before it while they are few.

    Else what they taught is the prior of each vector. Parameters: see `warm_start`.
    """
    fitted, rows = _grown(fitted, samples)
    n_before = 0.0 if kept is None else kept.weights.sum()
    kept = None if kept is None else within_limits(kept.more(rows))
    if kept is not None:
        return _with_all_before(fitted, kept, n_before, recipe, rng)
    if fitted.prior is None:
        return _as_a_start(fitted, rows, recipe)
    return _under_what_was_learned(fitted, rows, recipe)


def _with_all_before(fitted, kept, n_before, recipe, rng):
    """Go on with a chunk and all rows before it.

    What has been learned of few rows is no good start where interactions were too weak
    to be seen in them. So each time that the rows have doubled all is learned anew.
    """
    doubled = np.frexp(kept.weights.sum())[1] > np.frexp(n_before)[1]
    problem = problem_of(fitted, rows_for(fitted, kept))
    if doubled and fitted.architecture.tables.has_spread:
        fitted = begun_again(fitted, problem, rng)
        phases = additive_first(problem, recipe)
    else:
        options = recipe.options_of_chunk(problem, 1.0, settings.REPLAY_EPOCHS)
        phases = [Phase(problem, options)]
    return Continued(fitted, kept, phases, problem.rows.total, kept, settles=True)


def fold_in(fitted, samples, kept, recipe, rng):
    """Learn vectors of tokens from a few more rows, with all else frozen.

    Parameters: see `warm_start`.
    """
    fitted, rows = _grown(fitted, samples)
    kept = None if kept is None else within_limits(kept.more(rows))
    return _under_what_was_learned(
        fitted, rows, recipe, kept, frozen=True, moves=fitted.is_token.astype(float)
    )


def anew(fitted, rows, recipe, n_epochs, rng):
    """Learn the vectors of all tokens anew from merged rows, with all else frozen.

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
        rows,
        frozen=True,
        moves=tokens.astype(float),
        priors=own,
    )
    phase = Phase(problem, recipe.options_of_fresh_tables(problem, n_epochs))
    start = fitted.with_table(fresh)
    return Continued(start, rows, [phase], fitted.n_seen, settles=True)


def continued(fitted, next_):
    """The network after training, `next_` being what was trained."""
    if next_.settles:
        fitted = settled(fitted, next_.phases[-1].problem)
    else:
        fitted = _with_the_absent(fitted, next_)
    return replace(fitted, n_seen=next_.n_seen)


def _with_the_absent(fitted, next_):
    """The network with tokens as they were before, where no row had them.

    A prior scale that has moved moves all that it is the prior of. An unknown token is
    all prior, and goes with it.
    """
    absent = next_.phases[-1].problem.counts <= 0
    absent[np.cumsum(fitted.encoder.column_sizes, dtype=int) - 1] = False
    at = np.flatnonzero(absent)
    table = fitted.weights.table
    return fitted.with_table(table.replaced(at, next_.fitted.weights.table.rows(at)))


def _grown(fitted, samples):
    """The network with a table row for every new token, and the rows encoded."""
    fitted.likelihood.check(samples.outcome)
    encoder, rows = samples.encode_more(fitted.encoder)
    return fitted.grown(encoder), rows


def _as_a_start(fitted, rows, recipe):
    """Go on with these rows only."""
    problem = problem_of(fitted, rows_for(fitted, rows))
    n_seen = problem.rows.total + fitted.n_seen
    return Continued(fitted, rows, [Phase(problem, recipe.options(problem))], n_seen)


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
    return Continued(fitted, rows, [phase], n_seen, kept, says_all=False)

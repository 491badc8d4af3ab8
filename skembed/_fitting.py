"""The steps between a table and a trained network, as functions of data."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ._data.rows import Observations, merge, set_apart
from ._model.network import Architecture, Knots, Weights
from ._model.predictor import Predictor
from ._training import schedule as _schedule

LEARNING_RATE = 5e-3
ROW_RATE = 1.0  # passes over a token's data that move its vector all the way
HIDDEN = (64, 64)
CHUNK_EPOCHS = 15  # of a chunk that follows on others, and its steps at least
CHUNK_STEPS = 300
REPLAY_ROWS = 50_000  # of a stream that are kept to be learned from again
REPLAY_EPOCHS = 10  # over them with every chunk
HELD_BACK = 0.1  # of the rows are learned last
LEAST_ROWS = 100  # of a table for that,
ROWS_PER_WEIGHT = 2.0  # most, for each dense weight,
LEAST_COLUMNS = 4  # and columns
FRESH_START = 0.3  # of what the vectors were before they are learned anew
FRESH_EPOCHS = 20  # that a posterior table needs under a head that is trained already
FRESH_STEPS = 20  # steps in each of them: large batches, as no dense weight has to move


@dataclass(frozen=True)
class Fitted:
    """All that a fit leaves behind, in plain NumPy: small to pickle, no TensorFlow.

    Attributes
    ----------
    encoder : FeatureEncoder
    architecture : Architecture
    weights : Weights
    mask : ndarray of shape (n_columns, width)
    likelihood : Likelihood
    centre, scale : ndarray of shape (n_outputs,)
        The network's output times `scale` plus `centre` is the outcome.
    n_seen : float
        Weight of all rows seen so far.
    residuals : ResidualQuantiles or None
        How outcomes fall about their predictions, where intervals are drawn by it.
    """

    encoder: object
    architecture: Architecture
    weights: Weights
    mask: np.ndarray
    likelihood: object
    centre: np.ndarray
    scale: np.ndarray
    n_seen: float
    residuals: object = None

    @property
    def predictor(self):
        return Predictor(
            self.architecture,
            self.weights,
            Knots(*self.encoder.knots),
            self.encoder.column_sizes,
            self.mask,
        )

    @property
    def dims(self):
        """Length of the vectors of each categorical column."""
        return self.mask.sum(axis=1).astype(int)[: len(self.encoder.tokens)]

    def vectors(self, values):
        """Rows of `values` by categorical column, in the order of its categories."""
        out, start = [], 0
        for index, dim in zip(self.encoder.tokens, self.dims, strict=True):
            block = values[start : start + index.n_codes, :dim]
            in_order = np.array_equal(index.codes, np.arange(len(index.codes)))
            out.append(block[: len(index.codes)] if in_order else block[index.codes])
            start += index.n_codes
        return out


def architecture(estimator, n_outputs, sizes, head):
    """Shape of the network and, by column, which coordinates are in use."""
    posterior = estimator.prior is not None
    n_tokens = [max(size - 1, 1) for size in sizes]
    dims = _dims(estimator.embedding_dim, n_tokens, len(sizes))
    width = int(max(dims, default=1))
    hidden = estimator.hidden_layer_sizes
    hidden = HIDDEN if isinstance(hidden, str) else tuple(np.atleast_1d(hidden))
    hidden = tuple(int(units) for units in hidden)
    if any(units < 1 for units in hidden):
        raise ValueError(f"hidden_layer_sizes must be positive integers, got {hidden}.")
    activations = estimator.activation
    if isinstance(activations, (list, tuple)):
        if len(activations) != len(hidden):
            raise ValueError(
                f"activation has {len(activations)} entries for the {len(hidden)} "
                f"layers of hidden_layer_sizes={hidden}; give one activation, or one "
                "a layer."
            )
    else:
        activations = (activations,) * len(hidden)
    mask = (np.arange(width) < np.asarray(dims)[:, None]).astype(np.float32)
    mask = mask.reshape(len(dims), width)
    made = Architecture(
        width=width,
        hidden=hidden,
        activations=tuple(activations),
        n_outputs=n_outputs,
        posterior=posterior,
        with_knots=posterior,
        head=head,
    )
    return made, mask


def _dims(wanted, n_tokens, n_columns):
    if isinstance(wanted, str):
        largest = max(n_tokens, default=1)
        dim = int(np.clip(round(4 * np.log10(max(largest, 2))), 4, 8))
        return [dim] * n_columns
    if np.ndim(wanted) == 0:
        return [int(wanted)] * n_columns
    dims = [int(dim) for dim in wanted]
    return dims + [max(dims, default=1)] * (n_columns - len(dims))


def column_dims(estimator, n_categorical):
    """Check `embedding_dim` where it names one length a column."""
    dims = estimator.embedding_dim
    if isinstance(dims, str) or np.ndim(dims) == 0:
        return
    dims = np.asarray(dims)
    if (
        dims.shape != (n_categorical,)
        or dims.dtype.kind not in "iu"
        or (dims < 1).any()
    ):
        raise ValueError(
            "embedding_dim as a list needs one positive integer a categorical column, "
            f"{n_categorical} here; got {estimator.embedding_dim!r}."
        )


def training_rows(seen, predictor_offsets, likelihood):
    """Merged rows; their targets are those of y less its minimum, and that minimum."""
    y = seen.outcome
    origin = y.min(axis=0) if likelihood.location_scale else np.zeros(y.shape[1])
    rows = merge(
        (seen.codes + predictor_offsets).astype(np.int32),
        seen.numbers,
        likelihood.targets(y - origin),
        seen.weights,
        likelihood.average_targets,
    )
    return rows._replace(targets=likelihood.finish_targets(rows.targets)), origin


def centre_and_scale(rows, origin, likelihood, posterior):
    """What the outcome is centred on and divided by in training."""
    n_outputs = len(origin)
    if not (posterior and likelihood.location_scale):
        return np.zeros(n_outputs), np.ones(n_outputs)
    centre, scale = likelihood.centre_and_scale(rows.targets, rows.weights)
    # float32 digits: the same whatever the order in which the rows were summed.
    centre, scale = np.float32(centre).astype(float), np.float32(scale).astype(float)
    scale[~(scale > 0)] = 1.0
    return centre + origin, scale


def standardised(rows, origin, likelihood, centre, scale):
    """The rows with their targets in units of the network's output."""
    if not likelihood.location_scale:
        return rows
    targets = likelihood.standardise(rows.targets, centre - origin, scale)
    return rows._replace(targets=targets)


def more_rows(fitted, seen):
    """Merged rows that come after the first, in the units of the fit."""
    likelihood = fitted.likelihood
    offsets = fitted.predictor.offsets
    rows, origin = training_rows(seen, offsets, likelihood)
    return standardised(rows, origin, likelihood, fitted.centre, fitted.scale)


def within_limits(kept):
    """The rows of a stream, or None where they are too many to be kept."""
    if kept is None or kept.weights.sum() > REPLAY_ROWS:
        return None
    return kept


def token_counts(rows, n_table_rows):
    """Weighted number of observations of every row of the table."""
    n_columns = rows.codes.shape[1]
    return np.bincount(
        rows.codes.ravel(),
        weights=np.repeat(rows.weights, n_columns),
        minlength=n_table_rows,
    )


def options(estimator, problem, rng, *, rate_factor=1.0, epochs=None, replayed=False):
    """Optimizer, rates, batch, schedule and stop rule of a fit.

    `rate_factor` below 1 is for a chunk whose past is in the priors; `replayed` for a
    chunk together with all rows before it.
    """
    from ._keras import bridge, trainer

    rows, posterior = problem.rows, estimator.prior is not None
    rule, rate = bridge.optimizer(estimator.optimizer)
    wanted = estimator.learning_rate
    if not isinstance(wanted, str):
        rate = wanted if isinstance(wanted, (int, float)) else _rate(wanted)
    elif posterior and isinstance(estimator.optimizer, str):
        rate = LEARNING_RATE
    if not callable(rate):
        rate = float(rate) * rate_factor
    batch = estimator.batch_size
    if isinstance(batch, str):
        batch = _schedule.auto_batch_size(rows.total)
    per_epoch = _schedule.steps_per_epoch(rows.total, batch)
    auto = isinstance(estimator.epochs, str)
    if epochs is None:
        epochs = (
            _schedule.auto_epochs(rows.total, per_epoch) if auto else estimator.epochs
        )
        if auto and (replayed or rate_factor < 1.0):
            # What came before is in the priors, but for the head: it would learn a
            # chunk by heart that it passes often.
            few = REPLAY_EPOCHS if replayed else CHUNK_EPOCHS
            epochs = min(epochs, max(few, int(np.ceil(CHUNK_STEPS / per_epoch))))
    tol = estimator.tol
    if isinstance(tol, str):
        tol = 1e-4 if auto else None
    decay = "cosine" if posterior and not callable(rate) else "constant"
    warm = _schedule.warm_up(problem.likelihood, rows.codes.shape[1])
    return trainer.Options(
        rule=rule,
        learning_rate=rate,
        row_rate=ROW_RATE,
        batch_size=int(batch),
        schedule=_schedule.Schedule(decay, int(epochs) * per_epoch, *warm),
        epochs=int(epochs),
        tol=tol,
        patience=estimator.n_iter_no_change,
        rng=rng,
    )


class HeldBack(NamedTuple):
    """Rows that a fit learns last, and the problem without them."""

    problem: object
    rows: Observations


def held_back(fitted, seen):
    """Choose the rows that a fit learns last, or None where it learns all at once.

    What the dense weights have learned by heart does not show in rows that they were
    trained on. It matters where there are few rows to a weight, and many columns.
    """
    n_dense = sum(value.size for value in fitted.weights.dense.values())
    most, n = ROWS_PER_WEIGHT * n_dense, seen.weights.sum()
    if not LEAST_ROWS <= n <= most or len(fitted.mask) < LEAST_COLUMNS:
        return None
    blocks = [seen.codes, seen.numbers, seen.outcome]
    at, taken, left = set_apart(blocks, seen.weights, HELD_BACK)
    if not taken.any():
        return None
    others = more_rows(fitted, seen.counted(at, left))
    return HeldBack(problem(fitted, others), seen.counted(at, taken))


def in_two(options, first, problem):
    """Options of a run without the rows held back, and of one with them after it."""
    n_first, n_last = options.epochs, max(1, round(_schedule.LAST * options.epochs))
    options.epochs = n_first + n_last
    n_steps = [
        n * _schedule.steps_per_epoch(part.rows.total, options.batch_size)
        for n, part in ((n_first, first), (n_last, problem))
    ]
    last = _schedule.Schedule("cosine", n_steps[1], cold=1.0)
    return (
        replace(options, schedule=options.schedule.over(n_steps[0])),
        replace(options, schedule=last),
    )


def _rate(wanted):
    from ._keras import bridge

    return bridge.schedule(wanted) if callable(wanted) else float(wanted)


def problem(fitted, rows):
    """What the trainer is given: the network, the rows and their counts."""
    from ._keras.trainer import Problem

    predictor = fitted.predictor
    scaled = fitted.architecture.posterior and fitted.likelihood.location_scale
    return Problem(
        # A density of y / scale is not a density of y.
        loss_shift=float(np.log(fitted.scale).sum()) if scaled else 0.0,
        architecture=fitted.architecture,
        likelihood=fitted.likelihood,
        rows=rows,
        counts=token_counts(rows, len(fitted.weights.mean)),
        sizes=fitted.encoder.column_sizes,
        mask=fitted.mask,
        knots=predictor.knots,
    )


def settled(fitted, problem):
    """The network with the rows that no observation touched at their defined vector.

    Under a prior that is the prior itself, mean 0; without one it is the mean of the
    column's vectors, weighted by how often each was seen.
    """
    architecture, weights = fitted.architecture, fitted.weights
    counts, mean, precision = problem.counts, weights.mean, weights.precision
    if problem.priors is not None:
        unseen = (counts <= 0) & (problem.row_multiplier > 0)
        mean[unseen], precision[unseen] = (prior[unseen] for prior in problem.priors)
        return replace(fitted, weights=weights.with_rows(mean, precision))
    start = 0
    for column, size in enumerate(fitted.encoder.column_sizes):
        block = slice(start, start + size)
        unseen = start + np.flatnonzero(counts[block] <= 0)
        if architecture.posterior:
            mean[unseen] = 0.0
            precision[unseen] = prior_precision(architecture, weights.dense, column)
        elif counts[block].sum() > 0:
            mean[unseen] = np.average(mean[block], axis=0, weights=counts[block])
        start += size
    return replace(fitted, weights=weights.with_rows(mean, precision))


def grown(fitted, encoder):
    """The network with a row of its own for every token that `encoder` added.

    In each column the last row stands for unknown tokens and stays last.
    """
    architecture, old = fitted.architecture, fitted.weights
    means, precisions, start = [], [], 0
    sizes = zip(fitted.encoder.column_sizes, encoder.column_sizes, strict=True)
    for before, after in sizes:
        kept = slice(start, start + before - 1)
        # The row of unknown tokens is the prior: new tokens start from it.
        spare = np.full(after - before + 1, start + before - 1)
        means += [old.mean[kept], old.mean[spare]]
        if architecture.posterior:
            precisions += [old.precision[kept], old.precision[spare]]
        start += before
    mean = np.concatenate(means) if means else old.mean
    precision = np.concatenate(precisions) if precisions else old.precision
    weights = old.with_rows(mean, precision)
    return replace(fitted, encoder=encoder, weights=weights)


def tokens_only(encoder):
    """1 for rows of tokens, 0 for rows of the numbers' bins."""
    n_tokens = sum(index.n_codes for index in encoder.tokens)
    total = sum(encoder.column_sizes)
    return (np.arange(total) < n_tokens).astype(np.float32)


def prior_precision(architecture, dense, column):
    """1 / variance of the prior of one column, (width,)."""
    out = np.ones(architecture.width, np.float32)
    out[: architecture.n_first] = np.exp(-2.0 * dense["log_scale"][column])
    return out


def priors_of(architecture, dense, sizes):
    """Mean and precision of the learned prior for every row of the table."""
    blocks = [
        np.tile(prior_precision(architecture, dense, j), (size, 1))
        for j, size in enumerate(sizes)
    ]
    none = np.zeros((0, architecture.width), np.float32)
    precision = np.concatenate([none, *blocks]).astype(np.float32)
    return np.zeros_like(precision), precision


def fresh_tables(fitted, rng):
    """Weights to learn every token's vector anew from, and the priors to learn under.

    The numbers' tables and the dense weights stay. Means start a part of the way to
    where they were: where columns interact there are many optima, and all tables must
    come to lie in the one that the dense weights belong to. Not all of the way, or a
    token of few rows would stay in an optimum of its own that the outcomes left out
    have chosen. Precisions start from the prior, so each step moves a token by all
    that its data say, and a few forget the start. Without a posterior the vectors start
    at random, as nothing would make them forget, and there are no priors.
    """
    architecture, weights = fitted.architecture, fitted.weights
    tokens = tokens_only(fitted.encoder) > 0
    mean = weights.mean.copy()
    if not architecture.posterior:
        spread = 0.05 * (2.0 * rng.random(mean[tokens].shape) - 1.0)
        mean[tokens] = spread
        return weights.with_rows(mean, None), None
    priors = priors_of(architecture, weights.dense, fitted.encoder.column_sizes)
    mean[tokens] *= np.float32(FRESH_START)
    precision = weights.precision.copy()
    precision[tokens] = priors[1][tokens]
    return weights.with_rows(mean, precision), priors


def fresh_options(estimator, problem, rng):
    """How tables are learned anew under a frozen head."""
    epochs, rows = estimator.n_iter_, problem.rows
    if estimator.prior is None:
        return options(estimator, problem, rng, epochs=epochs)
    epochs = min(epochs, FRESH_EPOCHS)
    made = options(estimator, problem, rng, epochs=epochs)
    made.batch_size = max(made.batch_size, int(np.ceil(rows.total / FRESH_STEPS)))
    per_epoch = _schedule.steps_per_epoch(rows.total, made.batch_size)
    made.schedule = _schedule.Schedule("cosine", epochs * per_epoch, cold=1.0)
    made.tol = None
    return made

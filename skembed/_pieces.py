"""Fits, predictions and scores of rows that are read in pieces."""

import functools
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _settings as settings
from ._data.ahead import ahead
from ._data.columns import read
from ._data.folds import HeldBack
from ._data.labelled import Labelled, counted_from
from ._data.outcomes import refuse_missing
from ._data.samples import Samples, copies_per_weight, together
from ._data.sources import is_source, source_of
from ._data.spill import Spill
from ._data.survey import Survey
from ._model.importance import with_importances
from ._sklearn import check_sample_weight
from ._training.checkpoint import split_callbacks
from ._training.phases import additive_first
from ._training.problem import settled


def by_piece(method):
    """A method of a table `X` that takes a source as well, and then gives pieces."""

    @functools.wraps(method)
    def of_any(self, X, *args, **kwargs):
        if not is_source(X):
            return method(self, X, *args, **kwargs)
        check_is_fitted(self)
        source, names = source_of(X), known_names(self)
        source.refuse_missing(names)
        return (method(self, table, *args, **kwargs) for table in source.tables(names))

    return of_any


def known_names(estimator):
    """Names of the columns of fit, by which those of a source are found."""
    if not hasattr(estimator, "feature_names_in_"):
        raise ValueError(
            f"X is read in pieces by the names of its columns, but this "
            f"{type(estimator).__name__} was fitted on a table without names."
        )
    return estimator.feature_names_in_.tolist()


# Scores.


def predicted_pieces(estimator, X, y, sample_weight):
    """Outcomes, predictions and weights of a source, piece by piece.

    Yields
    ------
    y, predicted : ndarrays of shape (n_rows, n_outputs)
    weights : ndarray of float64 of shape (n_rows,)
    """
    check_is_fitted(estimator)
    rows = Labelled.of(X, y, sample_weight)
    names = known_names(estimator)
    rows.source.refuse_missing(names)
    for table, observed, weights in rows.parts(names):
        refuse_missing(observed)
        weights = np.ones(len(observed)) if weights is None else weights
        weights = check_sample_weight(
            weights, np.empty((len(observed), 1)), ensure_non_negative=True
        )
        predicted = estimator.predict(table)
        shape = len(observed), -1
        yield observed.reshape(shape), predicted.reshape(shape), weights


def accuracy(pieces):
    """Share of rows with the right prediction of every outcome."""
    right = total = 0.0
    for y, predicted, weights in pieces:
        right += weights @ (y == predicted).all(axis=1)
        total += weights.sum()
    _refuse_no_rows(total)
    return float(right / total)


def determination(pieces):
    """R2 of predictions, the mean of those of several outcomes."""
    total, centre, shift, squares, errors = 0.0, None, 0.0, 0.0, 0.0
    for y, predicted, weights in pieces:
        y = y.astype(np.float64)
        # Squares are counted from a value among the outcomes: no digits are lost.
        centre = y[0] if centre is None else centre
        total += weights.sum()
        shift += weights @ (y - centre)
        squares += weights @ np.square(y - centre)
        errors += weights @ np.square(y - predicted)
    _refuse_no_rows(total)
    spread = squares - np.square(shift) / total
    flat = spread <= 0.0  # as scikit-learn has it for a constant outcome
    found = 1.0 - errors / np.where(flat, 1.0, spread)
    return float(np.where(flat, errors <= 0.0, found).mean())


def _refuse_no_rows(total):
    if not total > 0.0:
        raise ValueError("There are no rows of a weight above 0 to score.")


class InPieces:
    """How a predictor is fitted on rows that do not fit into memory."""

    # Others may have rows of the same fit. Then what each knows of its own is merged
    # (`both_looks`, `Survey.more`), and all go on from what is known of all.

    def _fit_in_pieces(self, rows):
        """The steps of a fit; `rows` are `Labelled`."""
        look, seed = self._look(rows), self._seed()
        head = next(rows.parts())
        again, apart, first = iter, [], iter
        if self.early_stopping:
            wanted = self.validation_fraction, look.n_rows, head[0].shape[1]
            again = HeldBack(*wanted, seed).learned
            first = functools.partial(again, held_out=apart)
        survey = self._survey(rows, head, look, seed, learned=first)
        known = self._known(seed, head, look, survey)
        start = self._start(known)
        held_out = None
        if apart:
            held_out = together(apart).encode_by(start.fitted.encoder)
        spill = self._spilled(rows, survey.n_rows, known, start, again)
        with spill as (spilled, counts):
            return self._fit_spilled(known, start, spilled, counts, held_out)

    def _fit_spilled(self, known, start, spilled, counts, held_out=None, others=None):
        """The steps of a fit once the rows are coded.

        Parameters
        ----------
        known : Known
        start : Start
        spilled : SpilledRows or ShardedRows
        counts : ndarray of float64 of shape (n_table_rows,)
            Weight of the rows behind each row of the table of vectors.
        held_out : Observations, default=None
            Rows to stop by, which are not among them.
        others : Group, default=None
            Those who train on the other shards.
        """
        rng, observations = start.rng, start.observations
        fitted = replace(start.fitted, n_seen=spilled.total)
        problem = replace(start.problem, rows=spilled, counts=counts)
        phases = additive_first(problem, self._recipe())
        trained, curves = self._train(
            fitted, phases, rng, known.sample, held_out, others
        )
        trained = replace(trained, fitted=settled(trained.fitted, problem))
        fitted = with_importances(trained.fitted, observations)
        trained = replace(trained, fitted=fitted)
        fitted = self._concluded(trained, observations, held_out)
        self._set_columns(known.head, start.looked.target)
        self._set_curves(**curves)
        self._set_fitted(fitted, None)
        return self

    def _observed_in_pieces(self, rows, look):
        """Rows and outcomes as the fitted network reads them, piece by piece.

        With the places of the rows in the source.
        """
        pieces = self._pieces(rows, self._looked(look), self._line("observed"))
        encoder = self._fitted.encoder
        return ahead(lambda own: (own.places, own.encode_by(encoder)), pieces)

    def _observed_by_fold(self, rows, look, folds):
        """The rows on the disk as the fitted network reads them, fold by fold."""
        return self._on_disk(rows, look.n_rows, self._fitted, self._looked(look), folds)

    def _known(self, seed, head, look, survey):
        """What there is to know before training."""
        target = self._looked(look).target
        sample = replace(survey.sample(), target=target)
        encoder = survey.learned(sample, *self._limits())
        return Known(seed, head[0], look, encoder, sample)

    def _start(self, known):
        """The untrained network, and all that follows from what is known."""
        looked, rng = self._looked(known.look), np.random.default_rng(known.seed)
        observations = known.sample.encode_by(known.encoder)
        begun = self._untrained(known.encoder, observations, looked.target, rng)
        return Start(looked, observations, *begun, rng)

    def _look(self, rows):
        """What has to be known of all outcomes before the columns are read."""
        line, seen, n, total = self._line("outcomes"), None, 0, 0.0
        for part in rows.parts(rows.outcomes):
            samples = self._checked(*part, line.n)
            line.more(len(part[0]))
            if samples is not None:
                seen = self._outcomes_seen(seen, samples.y, samples.weights)
                n, total = n + len(samples.weights), total + samples.weights.sum()
        line.done()
        return Look(seen, n, total, rows.shown, rows.weight)

    def _both_looks(self, a, b):
        """What is known of the outcomes of both."""
        if a.seen is None or b.seen is None:
            return b if a.seen is None else a
        seen = self._outcomes_seen(a.seen, *b.seen)
        return a._replace(
            seen=seen, n_rows=a.n_rows + b.n_rows, total=a.total + b.total
        )

    def _looked(self, look):
        """What follows from the outcomes of all rows."""
        if look.seen is None:
            raise ValueError(
                f"{look.shown} holds no row of a weight above 0 in the column "
                f"{look.weight!r}: sample weights must not all be zero."
            )
        outcome, target = self._encode_y(look.seen[0])
        self._likelihood(target).check(outcome)
        factor = copies_per_weight(look.total, look.n_rows)
        return _Looked(self._factors_seen(look.seen), factor, target)

    def _checked(self, table, y, weights, start):
        """`Samples` of a piece, `start` rows before it; None if all weights are 0."""
        if weights is not None and not np.any(np.asarray(weights) != 0):
            return None
        with counted_from(start):
            refuse_missing(y)
            y = self._check_y(y)
            return Samples.checked(table, y, weights, is_chunk=True, start=start)

    def _pieces(self, rows, looked, line):
        """`Samples` piece by piece, with their weights and outcomes."""
        for part in rows.parts():
            samples = self._checked(*part, line.n)
            line.more(len(part[0]))
            if samples is None:
                continue
            factors = looked.factor
            if looked.factors is not None:
                factors = factors * looked.factors(samples.y)
            samples = samples.of_weight(factors)
            if len(samples.weights):
                outcome, _ = self._encode_y(samples.y, looked.target)
                yield replace(samples, outcome=outcome, target=looked.target)
        line.done()

    def _survey(self, rows, head, look, seed, place=(), learned=iter):
        """What all tables hold.

        Parameters
        ----------
        rows : Labelled
        head : tuple
            The first table of all, with its outcomes and weights.
        look : Look
            At all rows.
        seed : int
        place : tuple of int
            Of these rows among others.
        learned : callable, default=iter
            Takes all pieces; gives those that are learned from.
        """
        told, with_bins = self._columns_told()
        encoder = Samples(*head).chosen(told, with_bins)
        self._refuse_in_pieces(encoder, bool(place))
        is_float = None
        if isinstance(self.categorical_features, str):
            is_float = [column.is_float for column in read(head[0])]
        # Of its own: the weights then start where they would in memory.
        survey = Survey(encoder, is_float, look.n_rows, seed, place)
        pieces = self._pieces(rows, self._looked(look), self._line("columns"))
        return survey.run(learned(pieces))

    @contextmanager
    def _spilled(self, rows, n_rows, known, start, learned=iter):
        """The rows on the disk, and the weight behind each row of the table."""
        how = start.fitted, start.looked
        found = self._on_disk(rows, n_rows, *how, learned=learned)
        with found as ((spilled,), counts):
            yield spilled, counts

    @contextmanager
    def _on_disk(self, rows, n_rows, fitted, looked, folds=None, learned=iter):
        """The same, a file for each fold."""
        with Spill(fitted, n_rows, folds) as spill:
            size = f"{spill.n_bytes / 1e6:,.0f} MB in {spill.folder}"
            line = self._line(f"codes ({size})")
            pieces = self._pieces(rows, looked, line)
            parts, counts = spill.run(learned(pieces))
        try:
            yield parts, counts
        finally:
            for part in parts:
                part.close()

    def _refuse_in_pieces(self, encoder, are_many=False):
        """Raise if the parameters ask for what needs all rows in memory.

        `are_many` where the rows are those of several processes.
        """
        asked = {
            "validation_rows='last'": self.validation_rows == "last",
            "warm_start=True after a fit": self.warm_start and hasattr(self, "_fitted"),
            "multi_valued_features": bool(encoder.multi_valued),
            "shared_features": bool(encoder.shared),
            "hierarchy": bool(encoder.levels),
            "token_features": bool(encoder.described),
            "varying_slopes": bool(self.varying_slopes),
            "varying_curves": bool(self.varying_curves),
            "crosses": bool(self.crosses),
        }
        why = f"more than are read at once ({settings.IN_MEMORY_CELLS:,} cells)"
        if are_many:
            why = "in several processes"
            asked |= refused_together(self)
        for what, is_asked in asked.items():
            if is_asked:
                raise ValueError(
                    f"{what} needs the rows in memory, and these are {why}. Fit on a "
                    "sample of them in memory, or without it."
                )

    def _line(self, what):
        """The line of progress of one pass over the rows."""
        return _Line(type(self).__name__, what, bool(self.verbose))


def refused_together(estimator):
    """What needs more than the rows and the tables in every process, by name."""
    others = split_callbacks(estimator.callbacks)[1]
    return {
        "early_stopping=True": estimator.early_stopping,
        "model (a head of one's own)": estimator.model is not None,
        "callbacks other than a Checkpoint": others is not None,
    }


class Look(NamedTuple):
    """What a pass over outcomes has seen."""

    seen: tuple | None  # outcomes that stand for all, and their weights
    n_rows: int  # of positive weight
    total: float  # sum of the weights
    shown: str  # where they are from, as messages begin
    weight: str | None  # column of the weights


class _Looked(NamedTuple):
    """What has to be known of all outcomes before the columns are read."""

    factors: Callable | None  # of outcomes: what weighs their rows beside the weights
    factor: float  # what weights are multiplied by
    target: dict  # fitted attributes


class Known(NamedTuple):
    """What has to be known of all rows before they are coded."""

    seed: int
    head: object  # the first table
    look: Look
    encoder: object
    sample: Samples  # some of the rows


class Start(NamedTuple):
    """Where training starts: it follows from what is known."""

    looked: _Looked
    observations: object  # the sample, encoded
    fitted: object
    problem: object  # of the sample
    rng: np.random.Generator


class _Line:
    """Says how far a pass is, from time to time."""

    def __init__(self, name, what, is_shown):
        self.name, self.what, self.is_shown = name, what, is_shown
        self.n, self.began = 0, time.perf_counter()
        self.last = self.began

    def more(self, n):
        """So many more rows have been read."""
        self.n += n
        if time.perf_counter() - self.last > settings.LINE_SECONDS:
            self._print("")

    def done(self):
        """All have been."""
        self._print(", done")

    def _print(self, note):
        self.last = time.perf_counter()
        if self.is_shown:
            print(
                f"[{self.name}] {self.what}: {self.n:,} rows, "
                f"{self.last - self.began:.1f} s{note}",
                file=sys.stdout,
                flush=True,
            )

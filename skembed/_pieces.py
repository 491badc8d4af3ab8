"""Fits, predictions and scores of rows that are read in pieces."""

import functools
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _settings as settings
from ._data.ahead import ahead
from ._data.columns import read
from ._data.labelled import Labelled, counted_from
from ._data.outcomes import refuse_missing
from ._data.samples import Samples, copies_per_weight
from ._data.sources import is_source, source_of
from ._data.spill import Spill
from ._data.survey import Survey
from ._model.importance import with_importances
from ._sklearn import check_sample_weight
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

    def _fit_in_pieces(self, rows):
        """The steps of a fit; `rows` are `Labelled`."""
        looked, rng = self._look(rows), self._generator()
        target = looked.target
        pieces = functools.partial(self._pieces, rows, looked)
        # Of its own: the weights then start where they would in memory.
        seed = rng.bit_generator.seed_seq.entropy
        head, survey = self._survey(rows, pieces, looked.n_rows, seed)
        sample = replace(survey.sample(), target=target)
        encoder = survey.learned(sample, *self._limits())
        observations = sample.encode_by(encoder)
        fitted, problem = self._untrained(encoder, observations, target, rng)
        spilled, counts = self._spill(fitted, survey.n_rows, pieces)
        try:
            fitted = replace(fitted, n_seen=spilled.total)
            problem = replace(problem, rows=spilled, counts=counts)
            phases = additive_first(problem, self._recipe())
            trained, curves = self._train(fitted, phases, rng, sample)
        finally:
            spilled.close()
        trained = replace(trained, fitted=settled(trained.fitted, problem))
        fitted = with_importances(trained.fitted, observations)
        fitted = self._concluded(replace(trained, fitted=fitted), observations)
        self._set_columns(head, target)
        self._set_curves(**curves)
        self._set_fitted(fitted, None)
        return self

    def _observed_in_pieces(self, rows):
        """Rows and outcomes as the fitted network reads them, piece by piece."""
        pieces = self._pieces(rows, self._look(rows), self._line("observed"))
        encoder = self._fitted.encoder
        return ahead(lambda samples: samples.encode_by(encoder), pieces)

    def _look(self, rows):
        """What has to be known of all outcomes before the columns are read."""
        line, seen, n, total = self._line("outcomes"), None, 0, 0.0
        for part in rows.parts(rows.outcomes):
            samples = self._checked(*part, line.n)
            line.more(len(part[0]))
            if samples is not None:
                seen = self._outcomes_seen(seen, samples.y, samples.weights)
                n, total = n + len(samples.weights), total + samples.weights.sum()
        if seen is None:
            raise ValueError(
                f"{rows.source.shown} holds no row of a weight above 0 in the column "
                f"{rows.weight!r}: sample weights must not all be zero."
            )
        outcome, target = self._encode_y(seen[0])
        self._likelihood(target).check(outcome)
        line.done()
        return _Looked(self._factors_seen(seen), copies_per_weight(total, n), target, n)

    def _checked(self, table, y, weights, start):
        """`Samples` of a piece, `start` rows before it; None if all weights are 0."""
        if weights is not None and not np.any(np.asarray(weights) != 0):
            return None
        with counted_from(start):
            refuse_missing(y)
            samples = Samples.checked(table, self._check_y(y), weights, is_chunk=True)
        return replace(samples, start=start)

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

    def _survey(self, rows, pieces, n_rows, seed):
        """The first table, and what all of them hold."""
        head = next(rows.parts())
        told, with_bins = self._columns_told()
        encoder = Samples(*head).chosen(told, with_bins)
        self._refuse_in_pieces(encoder)
        is_float = None
        if isinstance(self.categorical_features, str):
            is_float = [column.is_float for column in read(head[0])]
        survey = Survey(encoder, is_float, n_rows, seed)
        return head[0], survey.run(pieces(self._line("columns")))

    def _spill(self, fitted, n_rows, pieces):
        """The rows on the disk, and the weight behind each row of the table."""
        with Spill(fitted, n_rows) as spill:
            size = f"{spill.n_bytes / 1e6:,.0f} MB in {spill.folder}"
            return spill.run(pieces(self._line(f"codes ({size})")))

    def _refuse_in_pieces(self, encoder):
        """Raise if the parameters ask for what needs all rows in memory."""
        asked = {
            "early_stopping=True": self.early_stopping,
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
        for what, is_asked in asked.items():
            if is_asked:
                raise ValueError(
                    f"{what} needs the rows in memory, and these are more than are "
                    f"read at once ({settings.IN_MEMORY_CELLS:,} cells). Fit on a "
                    "sample of them in memory, or without it."
                )

    def _line(self, what):
        """The line of progress of one pass over the rows."""
        return _Line(type(self).__name__, what, bool(self.verbose))


class _Looked(NamedTuple):
    """What has to be known of all outcomes before the columns are read."""

    factors: Callable | None  # of outcomes: what weighs their rows beside the weights
    factor: float  # what weights are multiplied by
    target: dict  # fitted attributes
    n_rows: int  # of positive weight


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

"""What EmbeddingEncoder trains, on which folds, and on which axes it is returned."""

import warnings
from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils.multiclass import (
    check_classification_targets,
    type_of_target,
    unique_labels,
)
from sklearn.utils.validation import check_is_fitted

from .. import _settings as settings
from .._base import BaseEmbedding
from .._classifier import EmbeddingClassifier
from .._data.rows import sample
from .._model.axes import principal_axes
from .._predictors import CLASSES, predictor_of, target_type
from .._regressor import EmbeddingRegressor
from .._sklearn import num_samples
from .._training.problem import table_counts
from .routing import needs_groups


class Task(NamedTuple):
    """A predictor to train or to take as it is, and what is known of the target."""

    predictor: BaseEmbedding
    y: object
    target_type: str
    classes: np.ndarray | None


def frozen_task(estimator):
    """The task of a fitted predictor in a FrozenEstimator."""
    predictor = estimator.estimator
    _refuse_others(predictor)
    check_is_fitted(predictor)
    return Task(predictor, None, "continuous", None)


def target_of(task):
    """Type of the target and its labels, as the fitted predictor of a task has them."""
    predictor = task.predictor
    if not isinstance(predictor, EmbeddingClassifier):
        return task.target_type, task.classes
    if predictor._is_multilabel:
        return "multilabel-indicator", predictor.classes_
    return CLASSES[len(predictor.classes_) > 2], predictor.classes_


def task_for(encoder, X, y, classes=None):
    """The predictor that `encoder` trains on `y`.

    `classes` are all labels there will be; None: those of `y`.
    """
    if encoder.estimator is not None:
        _refuse_others(encoder.estimator)
        predictor = clone(encoder.estimator).set_params(**encoder._columns())
        if predictor.random_state is None:
            predictor.set_params(random_state=encoder.random_state)
        y = predictor._check_y(y)
        kind = "continuous"
        if isinstance(predictor, EmbeddingClassifier):
            kind = type_of_target(y, input_name="y")
        return Task(predictor, y, kind, _labels(kind, y, classes))
    kind = _target_type(encoder.target_type, X, y)
    labels = _labels(kind, y, classes)
    make = predictor_of(kind)
    if labels is not None and len(labels) == 1:
        # One class leaves nothing to learn: it is a constant outcome.
        make, y = EmbeddingRegressor, np.zeros(num_samples(y))
    predictor = make(**encoder._columns(), random_state=encoder.random_state)
    return Task(predictor, predictor._check_y(y), kind, labels)


def _labels(kind, y, classes):
    if kind in CLASSES:
        check_classification_targets(y)
        return unique_labels(y if classes is None else classes)
    return np.arange(np.shape(y)[1]) if kind == "multilabel-indicator" else None


def _target_type(wanted, X, y):
    """Type of the target."""
    if num_samples(y) != num_samples(X):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[num_samples(X), num_samples(y)]}"
        )
    if wanted != "auto":
        return wanted
    how = "Set target_type='continuous' or 'multiclass' to choose."
    return target_type(y, how)


def warn_of_shuffle(encoder):
    """Warn of a parameter that will go, as that of TargetEncoder."""
    if encoder.shuffle != "deprecated":
        warnings.warn(
            "The parameter shuffle of EmbeddingEncoder is deprecated and will be "
            "removed in 0.2, as that of TargetEncoder in scikit-learn 1.11. Pass a "
            "splitter as cv, such as cv=KFold(5, shuffle=False).",
            FutureWarning,
            stacklevel=3,
        )


def folds(encoder, X, y, task, split=None):
    """Pairs of positions; every row is in one second part.

    `split` is what the splitter gets beside the rows.
    """
    n, shuffle = num_samples(X), bool(encoder.shuffle)
    cv = check_cv(
        encoder.cv,
        y,
        classifier=task.target_type in CLASSES,
        shuffle=shuffle,
        random_state=encoder.random_state if shuffle else None,
    )
    pairs = list(cv.split(np.zeros((n, 1)), y, **(split or {})))
    tests = [np.empty(0, int), *(test for _, test in pairs)]
    times = np.bincount(np.concatenate(tests), minlength=n)
    if (times != 1).any():
        raise ValueError(
            "Validation indices from `cv` must cover each sample index exactly "
            "once with no overlap. Pass a splitter with non-overlapping "
            "validation folds as `cv` or refer to the docs for other options."
        )
    return pairs


def folds_if_any(encoder, X, y, task, split=None):
    """Pairs as from :func:`folds`.

    None where there are fewer rows than folds, or the splitter's groups are not there.
    """
    is_number = isinstance(encoder.cv, Integral)
    if is_number and num_samples(X) < 2 * encoder.cv:
        return []
    if needs_groups(encoder.cv) and "groups" not in (split or {}):
        return []
    try:
        return folds(encoder, X, y, task, split)
    except ValueError:
        if is_number:  # classes of fewer rows than folds
            return []
        raise


def axes_of(fitted, rows):
    """Principal axes of the vectors of every column of tokens."""
    at, times = sample(rows.cells, rows.weights, settings.AXES_ROWS)
    by_vector = [found for _, found in fitted.predictor.slopes(rows.encoded(at))]
    by_vector = np.concatenate(by_vector).astype(np.float64)
    by_vector *= fitted.scale[:, None, None]
    by_vector *= np.sqrt(times / times.mean())[:, None, None, None]
    tables = fitted.means()
    fields = [fitted.encoder.field_of(k) for k in range(len(tables))]
    counts = [np.maximum(index.counts, 1e-9) for index in fitted.encoder.tokens]
    spreads = None
    if fitted.architecture.tables.has_spread:
        spreads = fitted.spreads()
    return principal_axes(by_vector[:, :, fields], tables, counts, spreads)


def first_order_axes(fitted, lengths):
    """What turns first-order coordinates into effects on each output, by column.

    None where there is one output: the coordinate is the effect.
    """
    if fitted.architecture.n_outputs == 1:
        return None
    readout = fitted.weights.dense["readout"]
    return [readout[:length] for length in lengths]


def counts_of(fitted, rows):
    """Weight of the rows behind every row of the embedding table."""
    placed = rows._replace(codes=fitted.predictor.places(rows))
    return table_counts(placed, len(fitted.weights.table.mean))


def _refuse_others(estimator):
    if not isinstance(estimator, BaseEmbedding):
        raise TypeError(
            "estimator must be an EmbeddingRegressor, an EmbeddingClassifier, or one "
            "of them, fitted, in a FrozenEstimator: cross-fitting learns their tables "
            f"anew with all else frozen. Got {estimator!r}."
        )


def refuse_output(predictor, encoder):
    """Raise if the encoder's parameters ask for what the predictor does not have."""
    if encoder.output != "mean" and predictor.prior is None:
        raise ValueError(
            f"output={encoder.output!r} needs an estimator with prior='normal'; this "
            "one has prior=None, and so neither standard deviations nor a first-order "
            "term."
        )
    if encoder.target_mean is True and is_frozen(encoder.estimator):
        raise ValueError(
            "target_mean=True needs the outcomes, and a FrozenEstimator is fitted "
            "without them; leave it at 'auto'."
        )


def with_means(encoder):
    """Whether the mean outcomes of tokens are returned in front of their vectors."""
    wanted = encoder.target_mean
    if wanted == "auto":
        return encoder.estimator is None and encoder.output != "first_order"
    return wanted


def side_by_side(columns):
    """Columns as one array: of their common dtype if that changes no value."""
    kinds = {column.dtype.kind for column in columns}
    if len(kinds) == 1 and kinds <= set("biufM"):
        return np.stack(columns, axis=1)
    out = np.empty((len(columns[0]), len(columns)), dtype=object)
    for j, column in enumerate(columns):
        if column.dtype.kind == "m":  # finer than microseconds they would be integers
            column = column.astype("m8[us]")
        out[:, j] = column.tolist() if column.dtype.kind != "M" else list(column)
    return out


def is_frozen(estimator):
    """Whether a fitted predictor is to be taken as it is."""
    return isinstance(estimator, FrozenEstimator)

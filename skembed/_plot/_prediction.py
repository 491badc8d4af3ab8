"""PredictionDisplay: predictions over outcomes, with intervals."""

from inspect import signature
from statistics import NormalDist

import numpy as np
from sklearn.metrics import r2_score
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import column_or_1d

from skembed._data.wording import shown
from skembed._plot import _common
from skembed._space.checks import (
    check_count,
    check_flag,
    check_lengths,
    check_numbers,
    check_share,
)


class PredictionDisplay:
    """Plot of predictions over outcomes.

    The points of a good model lie near the dashed identity line. With standard
    deviations every prediction (or `max_intervals` of them) has a central interval.
    Intervals that miss the identity line, and so the outcome, have another colour. The
    legend gives the share that contains the outcome, for comparison with `level`.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`; the parameters
    are stored as attributes.

    Parameters
    ----------
    y_true : ndarray of shape (n_samples,)
        Outcomes.
    y_pred : ndarray of shape (n_samples,)
        Predictions.
    y_std : ndarray of shape (n_samples,), default=None
        Predicted standard deviations of the outcomes, noise included.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    scatter_ : matplotlib PathCollection
        The points.
    line_ : matplotlib Line2D
        The identity line.
    intervals_ : matplotlib LineCollection or None
        The intervals that contain their outcome.
    missed_intervals_ : matplotlib LineCollection or None
        The intervals that do not.
    rows_ : ndarray of int
        The samples that are drawn.
    r2_ : float or None
        Coefficient of determination over all samples, drawn or not; None for a
        single sample.
    coverage_ : float or None
        Share of all samples, drawn or not, whose interval contains the outcome.
    legend_ : matplotlib Legend
        The legend, with R2 and coverage.

    See Also
    --------
    TokenOutcomeDisplay : The outcomes by token.
    sklearn.metrics.PredictionErrorDisplay : Residuals of any regressor.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import PredictionDisplay
    >>> display = PredictionDisplay.from_predictions(
    ...     [1.0, 2.0, 3.0], [1.5, 2.0, 2.5], y_std=[0.5, 0.5, 0.1]
    ... )
    >>> round(display.coverage_, 2)
    0.67
    >>> display.frame().columns.tolist()
    ['y_true', 'y_pred', 'y_std']
    """

    def __init__(self, *, y_true, y_pred, y_std=None):
        self.y_true = y_true
        self.y_pred = y_pred
        self.y_std = y_std

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        intervals="auto",
        level=0.9,
        max_intervals=200,
        subsample=10_000,
        random_state=0,
        ax=None,
        scatter_kwargs=None,
        line_kwargs=None,
        interval_kwargs=None,
    ):
        """Draw the predictions of a fitted estimator.

        Parameters
        ----------
        estimator : fitted regressor or Pipeline
            Any estimator with ``predict``.
        X : table of shape (n_samples, n_features)
            Samples to predict.
        y : array-like of shape (n_samples,)
            Their outcomes.
        intervals : bool or "auto", default="auto"
            Whether to draw intervals, from the standard deviations of
            ``predict(X, return_std=True)``. "auto" draws them if the estimator has
            them.
        level : float, default=0.9
            Probability with which an interval should contain its outcome.
        max_intervals : int, default=200
            Maximum number of intervals to draw.
        subsample : int, float or None, default=10_000
            Number (int) or fraction (float) of the samples to draw; None draws all.
        random_state : int, RandomState instance or None, default=0
            Chooses the samples and intervals that are drawn.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scatter_kwargs, line_kwargs, interval_kwargs : dict, default=None
            Keywords for ``Axes.scatter``, ``Axes.plot`` and the LineCollection.

        Returns
        -------
        PredictionDisplay
            The predictions, drawn.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingRegressor, PredictionDisplay
        >>> from skembed.datasets import make_token_outcomes
        >>> X, y = make_token_outcomes(200, random_state=0)
        >>> regressor = EmbeddingRegressor(2, epochs=3, random_state=0).fit(X, y)
        >>> display = PredictionDisplay.from_estimator(regressor, X, y)
        >>> display.frame().shape
        (200, 3)
        """
        estimator = getattr(estimator, "best_estimator_", estimator)
        if isinstance(estimator, type) or not hasattr(estimator, "predict"):
            raise TypeError(
                f"{shown(estimator)} has no predict: pass a fitted regressor, or a "
                "Pipeline that ends in one."
            )
        intervals = check_flag("intervals", intervals, "auto")
        if intervals == "auto":
            intervals = _gives_std(estimator)
        predicted = estimator.predict(X, return_std=True) if intervals else None
        y_pred, y_std = predicted if intervals else (estimator.predict(X), None)
        return cls.from_predictions(
            y,
            y_pred,
            y_std=y_std,
            level=level,
            max_intervals=max_intervals,
            subsample=subsample,
            random_state=random_state,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
            interval_kwargs=interval_kwargs,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        y_std=None,
        level=0.9,
        max_intervals=200,
        subsample=10_000,
        random_state=0,
        ax=None,
        scatter_kwargs=None,
        line_kwargs=None,
        interval_kwargs=None,
    ):
        """Draw given predictions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            Outcomes.
        y_pred : array-like of shape (n_samples,)
            Predictions.
        y_std : array-like of shape (n_samples,), default=None
            Predicted standard deviations of the outcomes, noise included.
        level : float, default=0.9
            Probability with which an interval should contain its outcome.
        max_intervals : int, default=200
            Maximum number of intervals to draw.
        subsample : int, float or None, default=10_000
            Number (int) or fraction (float) of the samples to draw; None draws all.
        random_state : int, RandomState instance or None, default=0
            Chooses the samples and intervals that are drawn.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scatter_kwargs, line_kwargs, interval_kwargs : dict, default=None
            Keywords for ``Axes.scatter``, ``Axes.plot`` and the LineCollection.

        Returns
        -------
        PredictionDisplay
            The predictions, drawn.

        Raises
        ------
        ValueError
            If the arrays differ in length or are not one-dimensional.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import PredictionDisplay
        >>> display = PredictionDisplay.from_predictions(
        ...     [1.0, 2.0, 3.0], [1.5, 2.0, 2.5], y_std=[0.5, 0.5, 0.1]
        ... )
        >>> display.legend_.get_texts()[0].get_text()
        '3 samples, $R^2$ = 0.750'
        """
        y_true = check_numbers("y_true", column_or_1d(y_true), finite=True)
        y_pred = check_numbers("y_pred", column_or_1d(y_pred), finite=True)
        y_std = None if y_std is None else column_or_1d(y_std)
        y_std = check_numbers("y_std", y_std, finite=True, optional=True)
        check_lengths(y_true=y_true, y_pred=y_pred, y_std=y_std)
        display = cls(y_true=y_true, y_pred=y_pred, y_std=y_std)
        return display.plot(
            ax,
            level=level,
            max_intervals=max_intervals,
            subsample=subsample,
            random_state=random_state,
            scatter_kwargs=scatter_kwargs,
            line_kwargs=line_kwargs,
            interval_kwargs=interval_kwargs,
        )

    def plot(
        self,
        ax=None,
        *,
        level=0.9,
        max_intervals=200,
        subsample=10_000,
        random_state=0,
        scatter_kwargs=None,
        line_kwargs=None,
        interval_kwargs=None,
    ):
        """Draw the predictions.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        level : float, default=0.9
            Probability with which an interval should contain its outcome.
        max_intervals : int, default=200
            Maximum number of intervals to draw.
        subsample : int, float or None, default=10_000
            Number (int) or fraction (float) of the samples to draw; None draws all.
        random_state : int, RandomState instance or None, default=0
            Chooses the samples and intervals that are drawn.
        scatter_kwargs, line_kwargs, interval_kwargs : dict, default=None
            Keywords for ``Axes.scatter``, ``Axes.plot`` and the LineCollection.

        Returns
        -------
        PredictionDisplay
            The object itself.

        Raises
        ------
        ValueError
            If `level` is not strictly between 0 and 1.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import PredictionDisplay
        >>> display = PredictionDisplay(y_true=[1.0, 2.0, 3.0], y_pred=[1.5, 2.0, 2.5])
        >>> round(display.plot(subsample=2).r2_, 2), len(display.rows_)
        (0.75, 2)
        """
        level = check_share("level", level)
        max_intervals = check_count(
            "max_intervals", max_intervals, none_is="all intervals"
        )
        y_true = np.asarray(self.y_true, dtype=np.float64)
        y_pred = np.asarray(self.y_pred, dtype=np.float64)
        if len(y_true) == 0:
            raise ValueError("There must be at least one sample to draw, got none.")
        random_state = check_random_state(random_state)
        n_samples = len(y_true)
        rows = _common.draw_rows(n_samples, subsample, random_state)
        self.rows_ = np.arange(n_samples) if rows is None else rows
        self.r2_ = float(r2_score(y_true, y_pred)) if n_samples > 1 else None
        ax = _common.new_axes(ax, figsize=(5.6, 5.2))
        from matplotlib.lines import Line2D

        self.scatter_ = self._draw_points(ax, y_true, y_pred, scatter_kwargs)
        ends = [min(y_true.min(), y_pred.min()), max(y_true.max(), y_pred.max())]
        line = {"color": "black", "linestyle": "--", "linewidth": 1.0}
        line = {**line, "label": "prediction = outcome", "zorder": 2.5}
        line = _common.style(line_kwargs, Line2D, **line)
        (self.line_,) = ax.plot(ends, ends, **line)
        self.intervals_ = self.missed_intervals_ = self.coverage_ = None
        if self.y_std is not None:
            self._draw_intervals(
                ax, y_true, y_pred, level, max_intervals, random_state, interval_kwargs
            )
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xlabel="Outcome", ylabel="Prediction")
        _common.tidy(ax)
        self.legend_ = ax.legend(
            fontsize="small", loc="upper left", framealpha=0.8, edgecolor="none"
        )
        for handle in self.legend_.legend_handles:
            handle.set_alpha(1)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_points(self, ax, y_true, y_pred, kwargs):
        from matplotlib.collections import PathCollection

        n_drawn, n_samples = len(self.rows_), len(y_true)
        label = f"{n_drawn:,} samples"
        if n_drawn < n_samples:
            label = f"{n_drawn:,} of {n_samples:,} samples"
        if self.r2_ is not None:
            label = f"{label}, $R^2$ = {self.r2_:.3f}"
        # Intervals are drawn on top, so the points are lighter if there are some.
        color = _common.PALETTE[0 if self.y_std is None else 4]
        points = {"s": 9 if n_drawn > 500 else 18, "color": color, "linewidth": 0}
        # Dense and thin regions stay readable if alpha falls with the number of points.
        points["alpha"] = float(np.clip(40 / np.sqrt(n_drawn), 0.25, 0.8))
        points.update(rasterized=n_drawn > 5000, zorder=1.5, label=label)
        points = _common.style(kwargs, PathCollection, **points)
        if "c" in points:
            points.pop("color")
        return ax.scatter(y_true[self.rows_], y_pred[self.rows_], **points)

    def _draw_intervals(
        self, ax, y_true, y_pred, level, max_intervals, random_state, kwargs
    ):
        """Draw some intervals, and count how many of all contain their outcome."""
        from matplotlib.collections import LineCollection

        half = NormalDist().inv_cdf(0.5 + level / 2) * np.asarray(self.y_std)
        holds = np.abs(y_true - y_pred) <= half
        self.coverage_ = float(holds.mean())
        rows = _common.draw_rows(len(self.rows_), max_intervals, random_state)
        shown = self.rows_ if rows is None else self.rows_[rows]
        ends = np.stack([y_pred - half, y_pred + half], axis=1)
        segments = np.stack([np.stack([y_true, y_true], axis=1), ends], axis=2)

        def draw(rows, color, label):
            look = {"color": color, "linewidth": 0.9, "alpha": 0.7, "zorder": 2}
            look = _common.style(kwargs, LineCollection, label=label, **look)
            return ax.add_collection(LineCollection(segments[rows], **look))

        held = f"{100 * level:g} % intervals: {100 * self.coverage_:.1f} % hold"
        self.intervals_ = draw(shown[holds[shown]], _common.PALETTE[0], held)
        missed = shown[~holds[shown]]
        self.missed_intervals_ = draw(missed, _common.PALETTE[5], "those that miss")

    def frame(self):
        """Return the points that are drawn as a data frame.

        Returns
        -------
        pandas.DataFrame of shape (n_samples, 2 or 3)
            Columns ``y_true``, ``y_pred`` and, if there are any, ``y_std``.

        Examples
        --------
        >>> from skembed import PredictionDisplay
        >>> PredictionDisplay(y_true=[1.0, 2.0], y_pred=[1.5, 2.5]).frame()
           y_true  y_pred
        0     1.0     1.5
        1     2.0     2.5
        """
        import pandas as pd

        rows = getattr(self, "rows_", slice(None))
        columns = {"y_true": self.y_true, "y_pred": self.y_pred, "y_std": self.y_std}
        return pd.DataFrame(
            {name: np.asarray(c)[rows] for name, c in columns.items() if c is not None},
        )


def _gives_std(estimator):
    """Return whether the fitted estimator predicts standard deviations."""
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if "return_std" not in signature(last.predict).parameters:
        return False
    return getattr(last, "prior", "normal") is not None

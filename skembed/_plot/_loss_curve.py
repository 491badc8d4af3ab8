"""LossCurveDisplay: the loss over the epochs of training."""

import numpy as np

from skembed._data.wording import shown
from skembed._plot import _common
from skembed._plot._fitted import unwrap
from skembed._space.checks import check_numbers


class LossCurveDisplay:
    """Plot of the training and validation loss of every epoch of a fit.

    Create it with :meth:`from_estimator` or :meth:`from_curves`; the parameters are
    stored as attributes.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation_loss_curve : array-like of shape (n_epochs,), default=None
        Loss of each epoch on the rows held out by early stopping.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    line_ : matplotlib Line2D
        The training loss.
    validation_line_ : matplotlib Line2D or None
        The validation loss, if there is one.
    reference_line_ : matplotlib Line2D or None
        The level `reference`, if one was given.
    text_ : matplotlib Annotation
        The last training loss, written at the end of the curve.

    See Also
    --------
    PredictionDisplay : What the fit predicts.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import LossCurveDisplay
    >>> display = LossCurveDisplay.from_curves([201.0, 60.0, 9.0, 4.1], reference=4.0)
    >>> display.text_.get_text()
    '4.1'
    >>> display.frame().columns.tolist()
    ['epoch', 'loss']
    """

    def __init__(self, *, loss_curve, validation_loss_curve=None):
        self.loss_curve = loss_curve
        self.validation_loss_curve = validation_loss_curve

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        ax=None,
        scale="auto",
        reference=None,
        reference_label="noise floor",
        line_kwargs=None,
        validation_line_kwargs=None,
        reference_kwargs=None,
    ):
        """Draw the loss curve of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            Has ``loss_curve_`` and, after early stopping, ``validation_loss_curve_``.
            For a Pipeline the last step is used.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scale : {"auto", "linear", "log"}, default="auto"
            Scale of the loss. "auto" is logarithmic if all losses are positive and the
            largest is more than 20 times the smallest.
        reference : float, default=None
            Level to mark by a dashed line, such as the variance of the noise.
        reference_label : str, default="noise floor"
            Name of that level.
        line_kwargs, validation_line_kwargs, reference_kwargs : dict, default=None
            Keywords for ``Axes.plot`` of each line.

        Returns
        -------
        LossCurveDisplay
            The curves, drawn.

        Raises
        ------
        TypeError
            If the estimator has no loss curve.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingRegressor, LossCurveDisplay
        >>> from skembed.datasets import make_token_outcomes
        >>> X, y = make_token_outcomes(200, random_state=0)
        >>> regressor = EmbeddingRegressor(2, epochs=3, random_state=0).fit(X, y)
        >>> display = LossCurveDisplay.from_estimator(regressor)
        >>> len(display.frame()) == regressor.n_iter_
        True
        """
        fitted = unwrap(estimator, "loss_curve_")
        return cls.from_curves(
            fitted.loss_curve_,
            getattr(fitted, "validation_loss_curve_", None),
            ax=ax,
            scale=scale,
            reference=reference,
            reference_label=reference_label,
            line_kwargs=line_kwargs,
            validation_line_kwargs=validation_line_kwargs,
            reference_kwargs=reference_kwargs,
        )

    @classmethod
    def from_curves(
        cls,
        loss_curve,
        validation_loss_curve=None,
        *,
        ax=None,
        scale="auto",
        reference=None,
        reference_label="noise floor",
        line_kwargs=None,
        validation_line_kwargs=None,
        reference_kwargs=None,
    ):
        """Draw given loss curves.

        Parameters
        ----------
        loss_curve : array-like of shape (n_epochs,)
            Training loss of each epoch.
        validation_loss_curve : array-like of shape (n_epochs,), default=None
            Validation loss of each epoch.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scale : {"auto", "linear", "log"}, default="auto"
            Scale of the loss, see :meth:`from_estimator`.
        reference : float, default=None
            Level to mark by a dashed line.
        reference_label : str, default="noise floor"
            Name of that level.
        line_kwargs, validation_line_kwargs, reference_kwargs : dict, default=None
            Keywords for ``Axes.plot`` of each line.

        Returns
        -------
        LossCurveDisplay
            The curves, drawn.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import LossCurveDisplay
        >>> display = LossCurveDisplay.from_curves([9.0, 5.0, 4.2], [9.1, 5.4, 4.6])
        >>> display.validation_line_.get_ydata().tolist()
        [9.1, 5.4, 4.6]
        """
        display = cls(
            loss_curve=loss_curve, validation_loss_curve=validation_loss_curve
        )
        return display.plot(
            ax,
            scale=scale,
            reference=reference,
            reference_label=reference_label,
            line_kwargs=line_kwargs,
            validation_line_kwargs=validation_line_kwargs,
            reference_kwargs=reference_kwargs,
        )

    def plot(
        self,
        ax=None,
        *,
        scale="auto",
        reference=None,
        reference_label="noise floor",
        line_kwargs=None,
        validation_line_kwargs=None,
        reference_kwargs=None,
    ):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scale : {"auto", "linear", "log"}, default="auto"
            Scale of the loss, see :meth:`from_estimator`.
        reference : float, default=None
            Level to mark by a dashed line.
        reference_label : str, default="noise floor"
            Name of that level.
        line_kwargs, validation_line_kwargs, reference_kwargs : dict, default=None
            Keywords for ``Axes.plot`` of each line.

        Returns
        -------
        LossCurveDisplay
            The object itself.

        Raises
        ------
        ValueError
            If `scale` is not one of the three, or there is no epoch to draw.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import LossCurveDisplay
        >>> display = LossCurveDisplay(loss_curve=[9.0, 5.0, 4.2])
        >>> display.plot(scale="log").ax_.get_yscale()
        'log'
        """
        if scale not in ("auto", "linear", "log"):
            raise ValueError(
                f"scale must be 'auto', 'linear' or 'log', got {shown(scale)}."
            )
        if reference is not None:
            reference = float(check_numbers("reference", reference, ndim=0))
        loss = check_numbers("loss_curve", self.loss_curve)
        if loss.size == 0:
            raise ValueError(
                "loss_curve must hold a number for at least one epoch, got none."
            )
        ax = _common.new_axes(ax)
        from matplotlib.lines import Line2D
        from matplotlib.patheffects import withStroke

        epochs = np.arange(1, loss.size + 1)
        main = {"color": _common.PALETTE[0], "linewidth": 1.8, "label": "training"}
        main = _common.style(line_kwargs, Line2D, **main)
        (self.line_,) = ax.plot(epochs, loss, **main)
        self.text_ = ax.annotate(
            _common.in_units(loss[-1]),
            xy=(epochs[-1], loss[-1]),
            xytext=(4, 1),
            textcoords="offset points",
            va="bottom",
            color=self.line_.get_color(),
            path_effects=[withStroke(linewidth=2, foreground="w")],
        )

        self.validation_line_ = self.reference_line_ = None
        levels = loss
        if self.validation_loss_curve is not None:
            held_out = check_numbers(
                "validation_loss_curve", self.validation_loss_curve
            )
            other = {"color": _common.PALETTE[5], "linewidth": 1.8, "zorder": 1.9}
            other = {**other, "label": "validation", "linestyle": (0, (5, 1))}
            other = _common.style(validation_line_kwargs, Line2D, **other)
            (self.validation_line_,) = ax.plot(
                np.arange(1, held_out.size + 1), held_out, **other
            )
            levels = np.concatenate([levels, held_out])
        if reference is not None:
            mark = {"color": _common.GREY, "linestyle": "--", "linewidth": 1.0}
            mark["label"] = f"{reference_label} ({_common.in_units(reference)})"
            mark = _common.style(reference_kwargs, Line2D, **mark)
            self.reference_line_ = ax.axhline(reference, **mark)
            levels = np.append(levels, reference)

        levels = levels[np.isfinite(levels)]
        if scale == "auto":
            wide = levels.size and levels.min() > 0
            wide = wide and levels.max() > 20 * levels.min()
            scale = "log" if wide else "linear"
        ax.set_yscale(scale)
        if scale == "log":
            _plain_log_ticks(ax)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set(xlabel="Epoch", ylabel="Loss")
        _common.tidy(ax)
        if self.validation_line_ is not None or reference is not None:
            ax.legend(frameon=False)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def frame(self):
        """Return the curves as a data frame.

        Returns
        -------
        pandas.DataFrame of shape (n_epochs, 2 or 3)
            Columns ``epoch`` (from 1), ``loss`` and, if there is one,
            ``validation_loss``.

        Examples
        --------
        >>> from skembed import LossCurveDisplay
        >>> LossCurveDisplay(loss_curve=[9.0, 5.0]).frame()
           epoch  loss
        0      1   9.0
        1      2   5.0
        """
        import pandas as pd

        loss = np.asarray(self.loss_curve, dtype=np.float64)
        frame = pd.DataFrame({"epoch": np.arange(1, loss.size + 1), "loss": loss})
        if self.validation_loss_curve is not None:
            held_out = np.asarray(self.validation_loss_curve, dtype=np.float64)
            frame["validation_loss"] = pd.Series(held_out).reindex(frame.index)
        return frame


def _plain_log_ticks(ax):
    """Write 20 and 100 on a logarithmic axis, not 2 x 10^1 and 10^2."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:,g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())

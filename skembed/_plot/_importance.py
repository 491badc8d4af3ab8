"""FeatureImportanceDisplay: how much each column does, as bars."""

import numpy as np

from skembed._data.wording import label
from skembed._plot import _common
from skembed._plot._fitted import unwrap
from skembed._space.checks import check_count, check_numbers


class FeatureImportanceDisplay:
    """Bars of how much each column does, the largest on top.

    Create it with :meth:`from_estimator` or :meth:`from_importances`; the parameters
    are stored as attributes.

    Parameters
    ----------
    importances : array-like of shape (n_features,)
        Share of every column.
    feature_names : array-like of str of shape (n_features,), default=None
        Names of the columns; None: "x0", "x1", ...

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    bars_ : matplotlib BarContainer
        The bars.
    text_ : matplotlib Annotation or None
        A note above the plot if columns were left out.

    See Also
    --------
    EmbeddingRegressor : Its `feature_importances_` say what a share is.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import FeatureImportanceDisplay
    >>> display = FeatureImportanceDisplay.from_importances([0.2, 0.8], ["a", "b"])
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['b', 'a']
    """

    def __init__(self, *, importances, feature_names=None):
        self.importances = importances
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls, estimator, *, feature_names=None, max_features=20, ax=None, bar_kwargs=None
    ):
        """Draw the importances of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            Has ``feature_importances_``. For a Pipeline the last step is used.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the columns; None: those seen in fit.
        max_features : int, default=20
            Maximum number of columns, the most important ones; None draws all.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        bar_kwargs : dict, default=None
            Keywords for ``Axes.barh``.

        Returns
        -------
        FeatureImportanceDisplay
            The importances, drawn.

        Raises
        ------
        TypeError
            If the estimator has no importances.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingRegressor, FeatureImportanceDisplay
        >>> X, y = [["red", 1], ["blue", 1], ["red", 2]] * 20, [1.0, 2.0, 1.1] * 20
        >>> regressor = EmbeddingRegressor(2, epochs=9, random_state=0).fit(X, y)
        >>> display = FeatureImportanceDisplay.from_estimator(regressor)
        >>> display.frame()["feature"].tolist()
        ['x0', 'x1']
        """
        fitted = unwrap(estimator, "feature_importances_")
        if feature_names is None:
            feature_names = getattr(fitted, "feature_names_in_", None)
        return cls.from_importances(
            fitted.feature_importances_,
            feature_names,
            max_features=max_features,
            ax=ax,
            bar_kwargs=bar_kwargs,
        )

    @classmethod
    def from_importances(
        cls,
        importances,
        feature_names=None,
        *,
        max_features=20,
        ax=None,
        bar_kwargs=None,
    ):
        """Draw given importances.

        Parameters
        ----------
        importances : array-like of shape (n_features,)
            Share of every column.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the columns; None: "x0", "x1", ...
        max_features : int, default=20
            Maximum number of columns, the most important ones; None draws all.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        bar_kwargs : dict, default=None
            Keywords for ``Axes.barh``.

        Returns
        -------
        FeatureImportanceDisplay
            The importances, drawn.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import FeatureImportanceDisplay
        >>> display = FeatureImportanceDisplay.from_importances([0.7, 0.2, 0.1])
        >>> [round(float(bar.get_width()), 2) for bar in display.bars_]
        [0.7, 0.2, 0.1]
        """
        display = cls(importances=importances, feature_names=feature_names)
        return display.plot(ax, max_features=max_features, bar_kwargs=bar_kwargs)

    def plot(self, ax=None, *, max_features=20, bar_kwargs=None):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        max_features : int, default=20
            Maximum number of columns, the most important ones; None draws all.
        bar_kwargs : dict, default=None
            Keywords for ``Axes.barh``.

        Returns
        -------
        FeatureImportanceDisplay
            The object itself.

        Raises
        ------
        ValueError
            If there are no importances, or not as many names.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import FeatureImportanceDisplay
        >>> display = FeatureImportanceDisplay(importances=[0.3, 0.6, 0.1])
        >>> display.plot(max_features=2).text_.get_text()
        '2 of 3 columns, 90 % of the variance'
        """
        max_features = check_count("max_features", max_features, none_is="all columns")
        importances, names, order = self._sorted()
        shown = order[:max_features]
        labels = [label(str(name)) for name in names[shown]]
        height = 0.9 + 0.32 * len(shown)
        ax = _common.new_axes(ax, (5.2 + _common.room_for(labels), height))
        from matplotlib.patches import Rectangle

        style = {"color": _common.PALETTE[0], "height": 0.7}
        style = {**style, **_common.style(bar_kwargs, Rectangle)}
        at = np.arange(len(shown))
        self.bars_ = ax.barh(at, importances[shown], **style)
        ax.set_yticks(at, labels, parse_math=False)
        ax.set_ylim(len(shown) - 0.5, -0.5)
        ax.set_xlabel("Share of the variance of the output")
        _common.tidy(ax, grid="x")
        ax.tick_params(axis="y", length=0)
        self.text_ = None
        if len(shown) < len(order):
            share = 100 * importances[shown].sum() / max(importances.sum(), 1e-300)
            text = f"{len(shown)} of {len(order)} columns"
            self.text_ = _common.note(ax, f"{text}, {share:.0f} % of the variance")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def frame(self):
        """Return the importances as a data frame, the largest first.

        Returns
        -------
        pandas.DataFrame of shape (n_features, 2)
            Columns ``feature`` and ``importance``.

        Examples
        --------
        >>> from skembed import FeatureImportanceDisplay
        >>> FeatureImportanceDisplay(importances=[0.25, 0.75]).frame()
          feature  importance
        0      x1        0.75
        1      x0        0.25
        """
        import pandas as pd

        importances, names, order = self._sorted()
        columns = {"feature": names[order], "importance": importances[order]}
        return pd.DataFrame(columns)

    def _sorted(self):
        """Importances, names, and positions from the largest to the smallest."""
        importances = check_numbers("importances", self.importances)
        if importances.size == 0:
            raise ValueError("importances must hold a share of at least one column.")
        names = self.feature_names
        if names is None:
            names = [f"x{j}" for j in range(len(importances))]
        names = np.asarray(names, dtype=object)
        if names.shape != importances.shape:
            raise ValueError(
                f"feature_names must hold one name for each of the {len(importances)} "
                f"importances, got an array of shape {names.shape}."
            )
        return importances, names, np.argsort(-importances, kind="stable")

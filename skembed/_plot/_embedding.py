"""EmbeddingDisplay: a map of the tokens, their vectors in two dimensions."""

import numpy as np
from sklearn.utils.validation import check_array

from skembed._plot import _common, _fitted, _map
from skembed._plot._labels import place_labels
from skembed._space.checks import (
    check_count,
    check_flag,
    check_lengths,
    check_many,
    check_numbers,
    check_share,
)

# More labels would not fit and only cost time.
_MAX_LABELS = 300
# With more tokens, the ellipses would hide each other.
_MAX_ELLIPSES = 50


class EmbeddingDisplay:
    """Map of the tokens: similar vectors are close together.

    The vectors are projected to two dimensions, by principal components or by any
    scikit-learn transformer. The area of a point grows with the number of rows of its
    token, its colour shows the token's effect, and an ellipse around it shows the
    posterior uncertainty of its position. Labels are written in order of frequency,
    where they overlap nothing. On a map of more than 50 tokens only labelled tokens
    have an ellipse.

    Create it with :meth:`from_estimator` or :meth:`from_vectors`; the parameters are
    stored as attributes.

    Parameters
    ----------
    coordinates : ndarray of shape (n_tokens, 2)
        Positions on the map.
    tokens : ndarray of shape (n_tokens,)
        The tokens.
    labels : list of str
        Their names in the plot.
    counts : ndarray of shape (n_tokens,), default=None
        Number of rows of each token.
    effects : ndarray of shape (n_tokens,), default=None
        Effect of each token.
    covariances : ndarray of shape (n_tokens, 2, 2), default=None
        Posterior covariance of each position.
    axis_names : tuple of two str, default=("", "")
        Names of the two axes.
    effect_name : str, default="effect"
        Name of the effects.
    feature_name : str, default=None
        Name of the column of tokens.
    remark : str, default=None
        Note on what was left out.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the map.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    scatter_ : matplotlib PathCollection
        The points.
    ellipses_ : matplotlib EllipseCollection or None
        The ellipses, if there are covariances.
    labels_ : list of matplotlib Annotation
        The labels for which there was room.
    colorbar_ : matplotlib Colorbar or None
        Scale of the effects, if there are any.
    legend_ : matplotlib Legend or None
        Scale of the counts, if there are any.
    text_ : matplotlib Annotation or None
        A note above the plot if not everything is shown.

    See Also
    --------
    SimilarityDisplay : The distances between the tokens.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import EmbeddingDisplay
    >>> display = EmbeddingDisplay.from_vectors(
    ...     [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0]], ["a", "b", "c"]
    ... )
    >>> display.coordinates.shape
    (3, 2)
    >>> [label.get_text() for label in display.labels_]
    ['a', 'b', 'c']
    """

    def __init__(
        self,
        *,
        coordinates,
        tokens,
        labels,
        counts=None,
        effects=None,
        covariances=None,
        axis_names=("", ""),
        effect_name="effect",
        feature_name=None,
        remark=None,
    ):
        self.coordinates = coordinates
        self.tokens = tokens
        self.labels = labels
        self.counts = counts
        self.effects = effects
        self.covariances = covariances
        self.axis_names = axis_names
        self.effect_name = effect_name
        self.feature_name = feature_name
        self.remark = remark

    @classmethod
    def from_estimator(
        cls,
        estimator,
        *,
        feature=None,
        tokens=None,
        max_tokens=None,
        reducer=None,
        effects="auto",
        effect_name=None,
        uncertainty=True,
        labels=None,
        **plot_kwargs,
    ):
        """Draw the map of one column of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            Has ``embeddings_`` and ``categories_``. For a Pipeline the last step is
            used.
        feature : str or int, default=None
            Name or index of the column of tokens; not needed if there is only one.
        tokens : array-like, default=None
            Tokens to show. None shows the `max_tokens` most frequent ones.
        max_tokens : int, default=None
            Maximum number of tokens to show; None shows all.
        reducer : transformer, default=None
            Projects the vectors to two dimensions; None is
            :class:`~sklearn.decomposition.PCA`. Ellipses need a reducer that multiplies
            by its ``components_``.
        effects : "auto", dict, array-like of shape (n_categories,) or None, \
                default="auto"
            Numbers that colour the tokens: by token, or in the order of
            ``categories_``. "auto" is the prediction for the token if there is only one
            column. Otherwise it is the first-order effect, which is the first
            coordinate of the vector (only with ``prior="normal"``).
        effect_name : str, default=None
            Name of the effects, for the scale.
        uncertainty : bool, default=True
            Whether to draw ellipses, if the estimator has ``embeddings_std_``.
        labels : dict or callable, default=None
            Names of tokens in the plot: a dict from tokens to names, or a function.
            Others are named by themselves, cut to 30 characters.
        **plot_kwargs
            Keywords of :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
            The map, drawn.

        Raises
        ------
        ValueError
            If the column or a token is unknown, or fewer than two tokens are left.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingDisplay, EmbeddingRegressor
        >>> from skembed.datasets import make_token_outcomes
        >>> X, y = make_token_outcomes(200, random_state=0)
        >>> regressor = EmbeddingRegressor(2, epochs=3, random_state=0).fit(X, y)
        >>> EmbeddingDisplay.from_estimator(regressor).coordinates.shape
        (5, 2)
        """
        uncertainty = check_flag("uncertainty", uncertainty)
        fitted, table, feature_name = _fitted.token_table(estimator, feature)
        chosen = _fitted.choose_tokens(table, table.counts, tokens, max_tokens)
        remark = None
        if len(chosen) < len(table):
            kind = "" if tokens is not None else " most frequent"
            remark = f"{len(chosen)}{kind} of {len(table):,} tokens"
        effects, name = _map.effects(fitted, table, effects)
        stds = table.spreads if uncertainty else None
        return cls.from_vectors(
            table.vectors[chosen],
            table.tokens[chosen],
            counts=table.counts[chosen],
            effects=None if effects is None else effects[chosen],
            stds=None if stds is None else stds[chosen],
            reducer=reducer,
            labels=labels,
            effect_name=effect_name or name,
            feature_name=feature_name,
            remark=remark,
            **plot_kwargs,
        )

    @classmethod
    def from_vectors(
        cls,
        vectors,
        tokens,
        *,
        counts=None,
        effects=None,
        stds=None,
        reducer=None,
        labels=None,
        effect_name="effect",
        feature_name=None,
        remark=None,
        **plot_kwargs,
    ):
        """Draw the map of given vectors.

        Parameters
        ----------
        vectors : array-like of shape (n_tokens, embedding_dim)
            Vectors of the tokens.
        tokens : array-like of shape (n_tokens,)
            The tokens.
        counts : array-like of shape (n_tokens,), default=None
            Number of rows of each token.
        effects : array-like of shape (n_tokens,), default=None
            Numbers that colour the tokens.
        stds : array-like of shape (n_tokens, embedding_dim), default=None
            Posterior standard deviations of the vectors.
        reducer : transformer, default=None
            Projects the vectors to two dimensions, see :meth:`from_estimator`.
        labels : dict or callable, default=None
            Names of tokens in the plot.
        effect_name : str, default="effect"
            Name of the effects, for the scale.
        feature_name : str, default=None
            Name of the column of tokens.
        remark : str, default=None
            Note on what was left out, written above the map.
        **plot_kwargs
            Keywords of :meth:`plot`.

        Returns
        -------
        EmbeddingDisplay
            The map, drawn.

        Raises
        ------
        ValueError
            If the arrays differ in length, there are fewer than two tokens, or the
            reducer does not return two columns.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingDisplay
        >>> vectors = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0]]
        >>> display = EmbeddingDisplay.from_vectors(
        ...     vectors, ["a", "b", "c"], counts=[5, 20, 10], effects=[0.3, 1.2, 1.1]
        ... )
        >>> display.colorbar_.ax.get_ylabel()
        'effect'
        """
        vectors = check_array(
            vectors, dtype=np.float64, ensure_min_samples=2, input_name="vectors"
        )
        check_many("tokens", tokens)
        shown = _fitted.as_objects(list(tokens))
        counts = check_numbers("counts", counts, finite=True, optional=True)
        effects = check_numbers("effects", effects, optional=True)
        check_lengths(
            vectors=vectors, tokens=shown, counts=counts, effects=effects, stds=stds
        )
        coordinates, components, axis_names = _map.reduce(vectors, reducer)
        covariances = None
        if stds is not None and components is not None:
            variances = check_array(stds, dtype=np.float64, input_name="stds") ** 2
            # C diag(v) C' for every token.
            covariances = np.einsum("ad,nd,bd->nab", components, variances, components)
        display = cls(
            coordinates=coordinates,
            tokens=shown,
            labels=_fitted.token_labels(shown, labels),
            counts=counts,
            effects=effects,
            covariances=covariances,
            axis_names=axis_names,
            effect_name=effect_name,
            feature_name=feature_name,
            remark=remark,
        )
        return display.plot(**plot_kwargs)

    def plot(
        self,
        ax=None,
        *,
        max_labels=_MAX_LABELS,
        level=0.5,
        colorbar=True,
        legend=True,
        scatter_kwargs=None,
        ellipse_kwargs=None,
        label_kwargs=None,
    ):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        max_labels : int, default=300
            Maximum number of tokens to label, the most frequent first; 0 labels none.
        level : float, default=0.5
            Probability that an ellipse contains the position of its token.
        colorbar : bool, default=True
            Whether to draw the scale of the effects.
        legend : bool, default=True
            Whether to draw the scale of the counts.
        scatter_kwargs, ellipse_kwargs, label_kwargs : dict, default=None
            Keywords for ``Axes.scatter``, the EllipseCollection and
            ``Axes.annotate``.

        Returns
        -------
        EmbeddingDisplay
            The object itself.

        Raises
        ------
        ValueError
            If `level` is not strictly between 0 and 1.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingDisplay
        >>> vectors = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0]]
        >>> display = EmbeddingDisplay.from_vectors(vectors, ["a", "b", "c"])
        >>> display.plot(max_labels=0).labels_
        []
        """
        level = check_share("level", level)
        max_labels = check_count("max_labels", max_labels, least=0)
        colorbar = check_flag("colorbar", colorbar)
        legend = check_flag("legend", legend)
        ax = _common.new_axes(ax, figsize=_map.figure_size(self.coordinates))
        from matplotlib.collections import PathCollection

        points = {"s": _map.areas(self.counts, len(self.tokens)), "edgecolor": "0.2"}
        points = {**points, "linewidth": 0.4, "zorder": 2.2}
        if self.effects is None:
            points["color"] = _common.PALETTE[4]
        else:
            points.update(c=self.effects, cmap="viridis")
        points = _common.style(scatter_kwargs, PathCollection, **points)
        if "color" in (scatter_kwargs or {}):
            points = {k: v for k, v in points.items() if k not in ("c", "cmap")}
        elif "c" in points:
            points.pop("color", None)
        self.scatter_ = ax.scatter(*self.coordinates.T, **points)

        # A normal distribution's ellipse of that probability, in standard deviations.
        radius = np.sqrt(-2 * np.log(1 - level))
        _map.set_limits(ax, self.coordinates, self.covariances, radius)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        if not self.axis_names[1]:
            ax.set_yticks([])
        _common.tidy(ax)

        self.colorbar_ = self.legend_ = None
        if colorbar and self.scatter_.get_array() is not None:
            self.colorbar_ = ax.figure.colorbar(
                self.scatter_, ax=ax, label=self.effect_name, shrink=0.8, pad=0.02
            )
            self.colorbar_.outline.set_visible(False)
        if legend and self.counts is not None:
            self.legend_ = self._draw_sizes(ax)
        self.text_ = _common.note(ax, self.remark) if self.remark else None
        self.labels_ = self._draw_labels(ax, max_labels, label_kwargs)
        self.ellipses_ = None
        if self.covariances is not None:
            self.ellipses_ = self._draw_ellipses(ax, radius, ellipse_kwargs)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_ellipses(self, ax, radius, kwargs):
        """Draw the ellipses; of many tokens only those with a label."""
        from matplotlib.collections import EllipseCollection

        shown = np.arange(len(self.tokens))
        if len(shown) > _MAX_ELLIPSES:
            labelled = {tuple(label.xy) for label in self.labels_}
            shown = np.array(
                [i for i in shown if tuple(self.coordinates[i]) in labelled], dtype=int
            )
        variances, axes = np.linalg.eigh(self.covariances[shown])
        widths = 2 * radius * np.sqrt(np.maximum(variances, 0))
        colors = np.broadcast_to(self.scatter_.get_facecolor(), (len(self.tokens), 4))
        if self.scatter_.get_array() is not None:
            colors = self.scatter_.to_rgba(self.scatter_.get_array())
        look = {
            "facecolor": colors[shown],
            "edgecolor": colors[shown],
            "linewidth": 0.7,
        }
        look = {
            **look,
            "alpha": float(np.interp(len(self.tokens), [20, 200], [0.25, 0.1])),
            "zorder": 1.5,
        }
        return ax.add_collection(
            EllipseCollection(
                widths[:, 0],
                widths[:, 1],
                np.degrees(np.arctan2(axes[:, 1, 0], axes[:, 0, 0])),
                units="xy",
                offsets=self.coordinates[shown],
                offset_transform=ax.transData,
                **_common.style(kwargs, EllipseCollection, **look),
            ),
            autolim=False,
        )

    def _draw_sizes(self, ax):
        """Draw a few points of round counts, and what their sizes mean."""
        largest = self.counts.max()
        rounded = [10.0**p for p in range(10) if 10.0**p <= largest][-3:]
        # Sizes that hardly differ need no scale.
        if not rounded or largest < 2 * self.counts.min():
            return None
        areas = _map.areas(np.append(rounded, largest), len(self.tokens))[:-1]
        handles = [
            ax.scatter([], [], s=area, color="0.75", edgecolor="0.2", linewidth=0.4)
            for area in areas
        ]
        name = self.feature_name or "token"
        legend = _common.legend(
            ax,
            handles,
            [f"{count:,.0f}" for count in rounded],
            title=f"rows per {name}",
            loc="upper left",
            bbox_to_anchor=(0, 1.0),
            ncols=len(rounded),
            fontsize="small",
            title_fontsize="small",
            frameon=False,
            handletextpad=0.3,
            columnspacing=1.2,
        )
        for handle in handles:
            handle.remove()
        return legend

    def _draw_labels(self, ax, max_labels, kwargs):
        counts = np.ones(len(self.tokens)) if self.counts is None else self.counts
        first = np.sort(np.argsort(-counts, kind="stable")[:max_labels])
        if len(first) == 0:
            return []
        from matplotlib.patheffects import withStroke
        from matplotlib.text import Text

        look = {"fontsize": 8, "color": "0.1", "zorder": 3, "parse_math": False}
        look = {**look, "path_effects": [withStroke(linewidth=1.5, foreground="w")]}
        sizes = np.broadcast_to(self.scatter_.get_sizes(), len(self.tokens))
        radii = np.sqrt(sizes / np.pi)
        return place_labels(
            ax,
            self.coordinates,
            self.labels,
            counts,
            radii,
            which=first,
            avoid=self.legend_,
            kwargs=_common.style(kwargs, Text, **look),
        )

    def frame(self):
        """Return the map as a table.

        Returns
        -------
        pandas.DataFrame of shape (n_tokens, n_columns)
            Columns ``token``, ``label``, ``x``, ``y`` and, where known, ``count``,
            ``effect``, ``x_std``, ``y_std`` and ``xy_correlation``.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingDisplay
        >>> vectors = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.9, 0.1, 0.0]]
        >>> display = EmbeddingDisplay.from_vectors(vectors, ["a", "b", "c"])
        >>> display.frame().columns.tolist()
        ['token', 'label', 'x', 'y']
        """
        import pandas as pd

        columns = {"token": self.tokens, "label": self.labels}
        columns.update(x=self.coordinates[:, 0], y=self.coordinates[:, 1])
        if self.counts is not None:
            columns["count"] = self.counts
        if self.effects is not None:
            columns["effect"] = self.effects
        if self.covariances is not None:
            std = np.sqrt(np.diagonal(self.covariances, axis1=1, axis2=2))
            product = std.prod(axis=1)
            columns.update(x_std=std[:, 0], y_std=std[:, 1])
            columns["xy_correlation"] = np.divide(
                self.covariances[:, 0, 1],
                product,
                out=np.zeros(len(product)),
                where=product > 0,
            )
        return pd.DataFrame(columns)

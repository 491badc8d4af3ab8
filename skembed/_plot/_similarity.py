"""SimilarityDisplay: the distances between tokens as an ordered heatmap."""

from dataclasses import replace

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from sklearn.metrics import pairwise_distances
from sklearn.utils import check_array, check_random_state

from skembed._data.columns import as_table
from skembed._data.wording import shown
from skembed._plot import _common, _fitted
from skembed._space.checks import check_count, check_flag, check_many
from skembed._space.profiles import outcome_profiles
from skembed._space.token_tables import column_codes

_METRIC_NAMES = {
    "euclidean": "Euclidean distance",
    "cosine": "cosine distance",
    "dot": "dot product",
    "outcome": "distance in predicted outcome",
}


class SimilarityDisplay:
    """Heatmap of the distances between tokens, with near tokens side by side.

    Create it with :meth:`from_estimator` or :meth:`from_distances`; the parameters are
    stored as attributes.

    Parameters
    ----------
    distances : ndarray of shape (n_tokens, n_tokens)
        Distances, or dot products, in the order drawn.
    tokens : ndarray of shape (n_tokens,)
        The tokens, in the order drawn.
    labels : list of str
        Their names in the plot.
    metric : str, default="distance"
        Name of the distances.
    feature_name : str, default=None
        Name of the column of tokens.
    remark : str, default=None
        Note on what was left out.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the heatmap.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    image_ : matplotlib AxesImage
        The heatmap.
    colorbar_ : matplotlib Colorbar or None
        Its scale.
    text_ : matplotlib Annotation or None
        A note above the plot if not everything is shown.

    See Also
    --------
    EmbeddingDisplay : The tokens on a map.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import SimilarityDisplay
    >>> display = SimilarityDisplay.from_distances(
    ...     [[0, 9, 1], [9, 0, 8], [1, 8, 0]], ["a", "b", "c"]
    ... )
    >>> sorted([display.labels, display.labels[::-1]])[0]
    ['a', 'c', 'b']
    """

    def __init__(
        self,
        *,
        distances,
        tokens,
        labels,
        metric="distance",
        feature_name=None,
        remark=None,
    ):
        self.distances = distances
        self.tokens = tokens
        self.labels = labels
        self.metric = metric
        self.feature_name = feature_name
        self.remark = remark

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        tokens=None,
        feature=None,
        metric="euclidean",
        order="clustering",
        labels=None,
        max_tokens=40,
        max_samples=200,
        random_state=0,
        ax=None,
        colorbar=True,
        image_kwargs=None,
    ):
        """Draw the distances between the tokens of one column of a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline
            Has ``embeddings_`` and ``categories_``. For a Pipeline the last step is
            used.
        X : table of shape (n_samples, n_features), default=None
            Samples, as the estimator takes them. ``metric="outcome"`` exchanges the
            tokens in them. The most frequent tokens are those of `X`, or without `X`
            those of `fit`.
        tokens : array-like, default=None
            Tokens to show; None shows the `max_tokens` most frequent ones.
        feature : str or int, default=None
            Name or index of the column of tokens; not needed if there is only one.
        metric : str or callable, default="euclidean"
            Distance between the vectors: any metric of
            :func:`sklearn.metrics.pairwise_distances`, "dot" for the dot product (a
            similarity: large is near), or "outcome". The last is the root mean square
            difference between the predictions (the probabilities, for a classifier)
            when one token replaces the other in the rows of `X`. It needs `X` unless
            the estimator has a single column.
        order : {"clustering", "pc1"} or None, default="clustering"
            Order of the tokens. "clustering": the leaves of an average-linkage tree,
            ordered so that near tokens are together. "pc1": the first principal
            component of the distances. None: the tokens as they come.
        labels : dict or callable, default=None
            Names of tokens in the plot: a dict from tokens to names, or a function.
        max_tokens : int, default=40
            Maximum number of tokens to show.
        max_samples : int or None, default=200
            Maximum number of rows of `X` to predict with ``metric="outcome"``; None
            uses all.
        random_state : int, RandomState instance or None, default=0
            Chooses these rows.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        colorbar : bool, default=True
            Whether to draw the scale.
        image_kwargs : dict, default=None
            Keywords for ``Axes.imshow``.

        Returns
        -------
        SimilarityDisplay
            The distances, drawn.

        Raises
        ------
        ValueError
            If the column or a token is unknown, or ``metric="outcome"`` needs `X`.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingRegressor, SimilarityDisplay
        >>> from skembed.datasets import make_token_outcomes
        >>> X, y = make_token_outcomes(200, random_state=0)
        >>> regressor = EmbeddingRegressor(2, epochs=3, random_state=0).fit(X, y)
        >>> SimilarityDisplay.from_estimator(regressor).distances.shape
        (5, 5)
        """
        max_samples = check_count("max_samples", max_samples, none_is="all rows")
        fitted, table, name = _fitted.token_table(estimator, feature)
        counts = table.counts
        if X is not None:
            X = as_table(_fitted.before(estimator, X))
            codes = column_codes(table, X)
            counts = np.bincount(codes[codes >= 0], minlength=len(table))
        chosen = _fitted.choose_tokens(table, counts, tokens, max_tokens)
        drawn = table.tokens[chosen]
        if isinstance(metric, str) and metric == "outcome":
            rng = check_random_state(random_state)
            few = replace(table, tokens=drawn, counts=table.counts[chosen])
            distances = _outcome_distances(fitted, few, X, max_samples, rng)
        else:
            distances = _vector_distances(table.vectors[chosen], metric)
        return cls.from_distances(
            distances,
            drawn,
            metric=metric,
            order=order,
            labels=labels,
            feature_name=name,
            remark=_remark(len(drawn), len(table), tokens),
            ax=ax,
            colorbar=colorbar,
            image_kwargs=image_kwargs,
        )

    @classmethod
    def from_distances(
        cls,
        distances,
        tokens,
        *,
        metric="distance",
        order="clustering",
        labels=None,
        feature_name=None,
        remark=None,
        ax=None,
        colorbar=True,
        image_kwargs=None,
    ):
        """Draw given distances.

        Parameters
        ----------
        distances : array-like of shape (n_tokens, n_tokens)
            Distances, or dot products with ``metric="dot"``.
        tokens : array-like of shape (n_tokens,)
            The tokens.
        metric : str or callable, default="distance"
            Name of the distances, for the scale; "dot" reverses the colours.
        order : {"clustering", "pc1"} or None, default="clustering"
            Order of the tokens, see :meth:`from_estimator`.
        labels : dict or callable, default=None
            Names of tokens in the plot.
        feature_name : str, default=None
            Name of the column of tokens.
        remark : str, default=None
            Note on what was left out, written above the heatmap.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        colorbar : bool, default=True
            Whether to draw the scale.
        image_kwargs : dict, default=None
            Keywords for ``Axes.imshow``.

        Returns
        -------
        SimilarityDisplay
            The distances, drawn.

        Raises
        ------
        ValueError
            If there are not as many tokens as rows and columns, or `order` is unknown.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import SimilarityDisplay
        >>> display = SimilarityDisplay.from_distances(
        ...     [[0, 9, 1], [9, 0, 8], [1, 8, 0]], ["a", "b", "c"], metric="days"
        ... )
        >>> display.colorbar_.ax.get_ylabel()
        'days'
        """
        distances = check_array(distances, dtype=np.float64, input_name="distances")
        check_many("tokens", tokens)
        drawn = _fitted.as_objects(list(tokens))
        if distances.shape != (len(drawn), len(drawn)):
            raise ValueError(
                f"distances of {len(drawn)} tokens have the shape "
                f"({len(drawn)}, {len(drawn)}), got {distances.shape}."
            )
        if not isinstance(metric, str):
            metric = getattr(metric, "__name__", type(metric).__name__)
        places = _order(distances, order, metric)
        display = cls(
            distances=distances[np.ix_(places, places)],
            tokens=drawn[places],
            labels=_fitted.token_labels(drawn[places], labels),
            metric=metric,
            feature_name=feature_name,
            remark=remark,
        )
        return display.plot(ax, colorbar=colorbar, image_kwargs=image_kwargs)

    def plot(self, ax=None, *, colorbar=True, image_kwargs=None):
        """Draw the heatmap.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        colorbar : bool, default=True
            Whether to draw the scale.
        image_kwargs : dict, default=None
            Keywords for ``Axes.imshow``.

        Returns
        -------
        SimilarityDisplay
            The object itself.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import SimilarityDisplay
        >>> display = SimilarityDisplay.from_distances(
        ...     [[0, 9, 1], [9, 0, 8], [1, 8, 0]], ["a", "b", "c"], order=None
        ... )
        >>> display.plot(image_kwargs={"cmap": "magma"}).image_.get_cmap().name
        'magma'
        """
        colorbar = check_flag("colorbar", colorbar)
        n_tokens = len(self.tokens)
        side = float(np.clip(1.8 + 0.17 * n_tokens, 4.0, 9.0))
        room = _common.room_for(self.labels)
        ax = _common.new_axes(ax, figsize=(side + room + 1.2, side + room))
        from matplotlib.image import AxesImage

        # Dark is near in both cases: small distances, large products.
        cmap = "viridis_r" if self.metric == "dot" else "viridis"
        image = {"cmap": cmap, "interpolation": "nearest", "aspect": "equal"}
        image = _common.style(image_kwargs, AxesImage, **image)
        self.image_ = ax.imshow(self.distances, **image)
        step = _name_cells(ax, self.labels)
        ax.spines[:].set_visible(False)
        if self.feature_name:
            ax.set_xlabel(self.feature_name, parse_math=False)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(
                self.image_,
                ax=ax,
                shrink=0.8,
                label=_METRIC_NAMES.get(self.metric, self.metric),
            )
            self.colorbar_.outline.set_visible(False)
        thinned = f"one name in {step} is written" if step > 1 else None
        remarks = [remark for remark in (self.remark, thinned) if remark]
        self.text_ = _common.note(ax, "; ".join(remarks)) if remarks else None
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def frame(self):
        """Return the distances as a data frame.

        Returns
        -------
        pandas.DataFrame of shape (n_tokens, n_tokens)
            Index and columns are the tokens, in the order drawn.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import SimilarityDisplay
        >>> display = SimilarityDisplay.from_distances(
        ...     [[0, 9, 1], [9, 0, 8], [1, 8, 0]], ["a", "b", "c"], order=None
        ... )
        >>> display.frame()
             a    b    c
        a  0.0  9.0  1.0
        b  9.0  0.0  8.0
        c  1.0  8.0  0.0
        """
        import pandas as pd

        tokens = list(self.tokens)
        return pd.DataFrame(self.distances, index=tokens, columns=tokens)


def _name_cells(ax, labels):
    """Label every k-th row and column, as many as fit; return k."""
    n_tokens = len(labels)
    box = ax.get_window_extent()
    room = min(box.width, box.height) / ax.figure.dpi * 72 / n_tokens
    step = int(np.ceil(5.5 / room))
    size = float(np.clip(0.8 * room * step, 4.5, 8.5))
    drawn = np.arange(0, n_tokens, step)
    names = [labels[j] for j in drawn]
    wide = max(map(len, labels)) * size * 0.7 > room
    ax.set_xticks(drawn, names, rotation=90 * wide, parse_math=False)
    ax.set_yticks(drawn, names, parse_math=False)
    ax.tick_params(length=0, labelsize=size)
    return step


def _remark(n_shown, n_tokens, tokens):
    if n_shown == n_tokens:
        return None
    kind = "" if tokens is not None else " most frequent"
    return f"{n_shown}{kind} of {n_tokens:,} tokens"


def _vector_distances(vectors, metric):
    if isinstance(metric, str) and metric == "dot":
        return vectors @ vectors.T
    return pairwise_distances(np.asarray(vectors, dtype=np.float64), metric=metric)


def _outcome_distances(estimator, table, X, max_samples, rng):
    """Root mean squared difference of the predictions with one token or another."""
    if X is not None:
        n_rows = len(X) if max_samples is None else max_samples
        profiles = outcome_profiles(estimator, table, X, None, n_rows, rng)
    elif estimator.n_features_in_ == 1:
        profiles = _fitted.predict_tokens(estimator, table.tokens)
        profiles = profiles.reshape(len(table), -1)
        profiles /= np.sqrt(profiles.shape[1])
    else:
        raise ValueError(
            "metric='outcome' exchanges tokens in real rows: pass X, the samples, "
            f"since the estimator has {estimator.n_features_in_} columns."
        )
    return pairwise_distances(np.asarray(profiles, dtype=np.float64))


def _order(distances, order, metric):
    """Return the places of the tokens, near ones side by side."""
    if order is not None and order not in ("clustering", "pc1"):
        raise ValueError(
            f"order must be 'clustering', 'pc1' or None, got {shown(order)}."
        )
    if order is None or len(distances) < 3:
        return np.arange(len(distances))
    if metric == "dot":
        # Products turned into squared distances: |a|^2 + |b|^2 - 2 a b.
        squares = np.diag(distances)
        distances = squares[:, None] + squares[None] - 2 * distances
        distances = np.sqrt(np.maximum(distances, 0))
    distances = (distances + distances.T) / 2
    if order == "pc1":
        centered = distances - distances.mean(axis=0)
        left, scales, _ = np.linalg.svd(centered)
        return np.argsort(left[:, 0] * scales[0], kind="stable")
    condensed = squareform(distances, checks=False)
    tree = linkage(condensed, "average")
    # The best order of the leaves takes cubic time, so larger trees go without it.
    if len(distances) <= 300:
        tree = optimal_leaf_ordering(tree, condensed)
    return leaves_list(tree)

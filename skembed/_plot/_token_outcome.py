"""TokenOutcomeDisplay: the outcomes, coloured by token."""

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import column_or_1d

from skembed._data.several import OneToken
from skembed._data.wording import shown
from skembed._plot import _common, _fitted
from skembed._space.checks import check_lengths, check_many, check_numbers
from skembed._space.token_tables import TokenTable


class TokenOutcomeDisplay:
    """Plot of the outcomes, coloured by token.

    With few tokens the outcomes are drawn in the order of the rows. With more, each
    token has a strip, and the strips are ordered by mean outcome. Of more than
    `max_tokens` tokens only the most frequent are shown, and a note says so.

    Create it with :meth:`from_estimator` or :meth:`from_tokens`; the parameters are
    stored as attributes.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,)
        The tokens shown, in the order of their mean outcome.
    labels : list of str
        Their names in the plot.
    codes : ndarray of shape (n_samples,)
        Position in `tokens` of each sample's token.
    outcomes : ndarray of shape (n_samples,)
        Outcome of each sample.
    rows : ndarray of shape (n_samples,)
        Row of each sample in the given data.
    predictions : ndarray of shape (n_samples,), default=None
        Prediction of each sample.
    feature_name : str, default=None
        Name of the column of tokens.
    remark : str, default=None
        Note on what was left out.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the points.
    figure_ : matplotlib Figure
        Figure that holds the axes.
    scatters_ : list of matplotlib PathCollection
        The points of each token, in the order of `tokens`.
    levels_ : matplotlib LineCollection
        A line for each token: its mean prediction or, without predictions, its mean
        outcome.
    legend_ : matplotlib Legend
        The colours of the tokens and the meaning of the lines.
    text_ : matplotlib Annotation or None
        A note above the plot if not everything is shown.

    See Also
    --------
    PredictionDisplay : Predictions over the outcomes.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> from skembed import TokenOutcomeDisplay
    >>> display = TokenOutcomeDisplay.from_tokens(["b", "a", "b"], [3.0, 1.0, 2.0])
    >>> display.labels
    ['a', 'b']
    >>> display.frame().columns.tolist()
    ['row', 'token', 'outcome']
    """

    def __init__(
        self,
        *,
        tokens,
        labels,
        codes,
        outcomes,
        rows,
        predictions=None,
        feature_name=None,
        remark=None,
    ):
        self.tokens = tokens
        self.labels = labels
        self.codes = codes
        self.outcomes = outcomes
        self.rows = rows
        self.predictions = predictions
        self.feature_name = feature_name
        self.remark = remark

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        feature=None,
        tokens=None,
        labels=None,
        max_tokens=30,
        kind="auto",
        subsample=10_000,
        random_state=0,
        ax=None,
        scatter_kwargs=None,
        level_kwargs=None,
    ):
        """Draw the outcomes by the tokens of one column of a fitted estimator.

        Parameters
        ----------
        estimator : fitted regressor or Pipeline
            Has categorical columns and predicts. In a Pipeline, the other steps
            transform `X` first.
        X : table of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,)
            Their outcomes.
        feature : str or int, default=None
            Name or index of the column of tokens; not needed if there is only one.
        tokens : array-like, default=None
            Tokens to show; None shows the `max_tokens` most frequent ones.
        labels : dict or callable, default=None
            Names of tokens in the plot: a dict from tokens to names, or a function.
        max_tokens : int, default=30
            Maximum number of tokens to show.
        kind : {"auto", "index", "strip"}, default="auto"
            "index" draws the outcomes over the row number, "strip" over the tokens.
            "auto" is "index" for up to eight tokens.
        subsample : int, float or None, default=10_000
            Number (int) or fraction (float) of the samples to draw; None draws all.
        random_state : int, RandomState instance or None, default=0
            Chooses the samples that are drawn, and moves the points of a strip apart.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scatter_kwargs, level_kwargs : dict, default=None
            Keywords for ``Axes.scatter`` and for the lines of the mean predictions.

        Returns
        -------
        TokenOutcomeDisplay
            The outcomes, drawn.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import EmbeddingRegressor, TokenOutcomeDisplay
        >>> from skembed.datasets import make_token_outcomes
        >>> X, y = make_token_outcomes(200, random_state=0)
        >>> regressor = EmbeddingRegressor(2, epochs=3, random_state=0).fit(X, y)
        >>> display = TokenOutcomeDisplay.from_estimator(regressor, X, y)
        >>> len(display.scatters_)
        5
        """
        _, table, name = _fitted.token_table(estimator, feature)
        x, rows = _fitted.values(_fitted.before(estimator, X), table)
        predictions = estimator.predict(X) if hasattr(estimator, "predict") else None
        if not isinstance(table.reader, OneToken):
            y = _numbers(y)
            check_lengths(X=np.arange(rows.max() + 1), y=y)
            y = y[rows]
            if predictions is not None:
                predictions = np.asarray(predictions)[rows]
        return cls.from_tokens(
            x,
            y,
            predictions=predictions,
            feature_name=name,
            tokens=tokens,
            labels=labels,
            max_tokens=max_tokens,
            kind=kind,
            subsample=subsample,
            random_state=random_state,
            ax=ax,
            scatter_kwargs=scatter_kwargs,
            level_kwargs=level_kwargs,
        )

    @classmethod
    def from_tokens(
        cls,
        x,
        y,
        *,
        predictions=None,
        feature_name=None,
        tokens=None,
        labels=None,
        max_tokens=30,
        kind="auto",
        subsample=10_000,
        random_state=0,
        ax=None,
        scatter_kwargs=None,
        level_kwargs=None,
    ):
        """Draw the outcomes by a column of tokens, without an estimator.

        Parameters
        ----------
        x : array-like of shape (n_samples,)
            Token of each sample.
        y : array-like of shape (n_samples,)
            Outcome of each sample.
        predictions : array-like of shape (n_samples,), default=None
            Prediction of each sample.
        feature_name : str, default=None
            Name of the column of tokens.
        tokens : array-like, default=None
            Tokens to show; None shows the `max_tokens` most frequent ones.
        labels : dict or callable, default=None
            Names of tokens in the plot.
        max_tokens : int, default=30
            Maximum number of tokens to show.
        kind : {"auto", "index", "strip"}, default="auto"
            Horizontal axis, see :meth:`from_estimator`.
        subsample : int, float or None, default=10_000
            Number (int) or fraction (float) of the samples to draw; None draws all.
        random_state : int, RandomState instance or None, default=0
            Chooses the samples that are drawn, and moves the points of a strip apart.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        scatter_kwargs, level_kwargs : dict, default=None
            Keywords for ``Axes.scatter`` and for the lines of the means.

        Returns
        -------
        TokenOutcomeDisplay
            The outcomes, drawn.

        Raises
        ------
        ValueError
            If the arrays differ in length, or a token of `tokens` does not occur.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import TokenOutcomeDisplay
        >>> display = TokenOutcomeDisplay.from_tokens(
        ...     ["b", "a", "b"], [3.0, 1.0, 2.0], labels={"a": "Ann", "b": "Bob"}
        ... )
        >>> display.labels
        ['Ann', 'Bob']
        """
        y = _numbers(y)
        check_many("x", x, least=1)
        predictions = check_numbers("predictions", predictions, optional=True)
        check_lengths(x=x, y=y, predictions=predictions)
        known, codes = _fitted.factorize(x)
        counts = np.bincount(codes, minlength=len(known))
        table = TokenTable.of_tokens(known, name=feature_name or "x")
        chosen = _fitted.choose_tokens(table, counts, tokens, max_tokens)
        means = np.bincount(codes, weights=y, minlength=len(known)) / counts
        chosen = chosen[np.argsort(means[chosen], kind="stable")]

        place = np.full(len(known), -1)
        place[chosen] = np.arange(len(chosen))
        rows = np.flatnonzero(place[codes] >= 0)
        drawn = _common.draw_rows(len(rows), subsample, random_state)
        remark = _remark(len(chosen), len(known), len(rows), len(y), tokens, drawn)
        rows = rows if drawn is None else rows[drawn]
        drawn_tokens = known[chosen]
        display = cls(
            tokens=drawn_tokens,
            labels=_fitted.token_labels(drawn_tokens, labels),
            codes=place[codes[rows]],
            outcomes=y[rows],
            rows=rows,
            predictions=None if predictions is None else predictions[rows],
            feature_name=feature_name,
            remark=remark,
        )
        return display.plot(
            ax,
            kind=kind,
            random_state=random_state,
            scatter_kwargs=scatter_kwargs,
            level_kwargs=level_kwargs,
        )

    def plot(
        self,
        ax=None,
        *,
        kind="auto",
        random_state=0,
        scatter_kwargs=None,
        level_kwargs=None,
    ):
        """Draw the outcomes.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a new figure.
        kind : {"auto", "index", "strip"}, default="auto"
            Horizontal axis, see :meth:`from_estimator`.
        random_state : int, RandomState instance or None, default=0
            Moves the points of a strip apart.
        scatter_kwargs, level_kwargs : dict, default=None
            Keywords for ``Axes.scatter`` and for the lines of the means.

        Returns
        -------
        TokenOutcomeDisplay
            The object itself.

        Raises
        ------
        ValueError
            If `kind` is not one of the three.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import TokenOutcomeDisplay
        >>> display = TokenOutcomeDisplay.from_tokens(["b", "a", "b"], [3.0, 1.0, 2.0])
        >>> ax = display.plot(kind="strip").ax_
        >>> [tick.get_text() for tick in ax.get_xticklabels()]
        ['a', 'b']
        """
        if kind not in ("auto", "index", "strip"):
            raise ValueError(
                f"kind must be 'auto', 'index' or 'strip', got {shown(kind)}."
            )
        n_tokens = len(self.tokens)
        if kind == "auto":
            kind = "index" if n_tokens <= len(_common.PALETTE) else "strip"
        width = 6.4 if kind == "index" else float(np.clip(2 + 0.28 * n_tokens, 4.8, 11))
        size, room = np.array([width, 4.4]), _common.room_for(self.labels)
        size[0 if kind == "index" else 1] += room
        ax = _common.new_axes(ax, figsize=size)
        x, ends = self._positions(kind, random_state)
        colors = _common.PALETTE
        if n_tokens > len(colors):
            colors = _common.sequential_colors(n_tokens)

        self.scatters_ = []
        for j, label in enumerate(self.labels):
            mine = self.codes == j
            points = self._points_style(scatter_kwargs, colors[j], label)
            self.scatters_.append(ax.scatter(x[mine], self.outcomes[mine], **points))
        self.levels_ = self._draw_levels(ax, ends, level_kwargs)

        name = self.feature_name or "Token"
        ax.set_ylabel("Outcome")
        if kind == "index":
            ax.set_xlabel("Observation")
            ax.margins(x=0.01)
            handles = [*self.scatters_[::-1], self.levels_]
            labels = [*self.labels[::-1], self.levels_.get_label()]
        else:
            ax.set_xlabel(name, parse_math=False)
            _name_strips(ax, self.labels)
            handles, labels = [self.levels_], [self.levels_.get_label()]
        self.legend_ = _common.legend(
            ax,
            handles,
            labels,
            title=name if kind == "index" else None,
            frameon=False,
            fontsize="small",
            **(
                {"loc": "upper left", "bbox_to_anchor": (1, 1)}
                if kind == "index"
                else {}
            ),
        )
        for handle in self.legend_.legend_handles[:-1]:
            handle.set(alpha=1, sizes=[28])
        _common.tidy(ax, grid="y")
        self.text_ = _common.note(ax, self.remark) if self.remark else None
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _positions(self, kind, random_state):
        """Return the position of each sample, and the ends of each token's line."""
        n_tokens = len(self.tokens)
        if kind == "index":
            return self.rows, np.tile([0, max(self.rows.max(), 1)], (n_tokens, 1))
        jitter = check_random_state(random_state).uniform(-0.3, 0.3, len(self.codes))
        return self.codes + jitter, np.arange(n_tokens)[:, None] + [-0.42, 0.42]

    def _points_style(self, kwargs, color, label):
        from matplotlib.collections import PathCollection

        n_samples = len(self.codes)
        alpha = float(np.clip(40 / np.sqrt(n_samples), 0.3, 0.8))
        points = {"s": 8 if n_samples > 500 else 18, "color": color, "linewidth": 0}
        points = {**points, "alpha": alpha, "rasterized": n_samples > 5000}
        points = _common.style(kwargs, PathCollection, label=label, **points)
        if "c" in points:
            points.pop("color")
        return points

    def _draw_levels(self, ax, ends, kwargs):
        """Draw each token's mean prediction, or mean outcome, as a line."""
        from matplotlib.collections import LineCollection

        predicted = self.predictions is not None
        values = self.predictions if predicted else self.outcomes
        counts = np.bincount(self.codes, minlength=len(self.tokens))
        sums = np.bincount(self.codes, weights=values, minlength=len(self.tokens))
        levels = np.divide(
            sums, counts, out=np.full(len(sums), np.nan), where=counts > 0
        )
        segments = np.stack([ends, np.stack([levels, levels], axis=1)], axis=2)
        look = {"color": "black", "linewidth": 1.4, "zorder": 2.5}
        look["label"] = "mean prediction" if predicted else "mean outcome"
        look = _common.style(kwargs, LineCollection, **look)
        return ax.add_collection(LineCollection(segments, **look))

    def frame(self):
        """Return the points as a data frame.

        Returns
        -------
        pandas.DataFrame of shape (n_samples, 3 or 4)
            Columns ``row`` (in the given data), ``token``, ``outcome`` and, if there
            are any, ``prediction``.

        Examples
        --------
        >>> import matplotlib
        >>> matplotlib.use("agg")
        >>> from skembed import TokenOutcomeDisplay
        >>> display = TokenOutcomeDisplay.from_tokens(["b", "a", "b"], [3.0, 1.0, 2.0])
        >>> display.frame()
           row token  outcome
        0    0     b      3.0
        1    1     a      1.0
        2    2     b      2.0
        """
        import pandas as pd

        columns = {"row": self.rows, "token": self.tokens[self.codes]}
        columns["outcome"] = self.outcomes
        if self.predictions is not None:
            columns["prediction"] = self.predictions
        return pd.DataFrame(columns)


def _numbers(y):
    """Return the outcomes as float64, refusing classes that are not numbers."""
    y = column_or_1d(y)
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The outcomes must be numbers to be drawn, got {y[:3].tolist()}...; give "
            "classes as numbers, for example y == 'yes'."
        ) from error


def _remark(n_chosen, n_known, n_rows, n_samples, tokens, drawn):
    """Return a note on which tokens and samples are shown, None if all are."""
    parts = []
    if n_chosen < n_known:
        kind = "" if tokens is not None else " most frequent"
        share = 100 * n_rows / n_samples
        parts.append(
            f"the {n_chosen}{kind} of {n_known:,} tokens ({share:.0f} % of the samples)"
        )
    if drawn is not None:
        parts.append(f"{len(drawn):,} of {n_rows:,} samples, drawn at random")
    return "; ".join(parts) or None


def _name_strips(ax, labels):
    """Write the tokens below their strips, rotated if they would overlap."""
    long = max(map(len, labels)) * len(labels) > 60
    ax.set_xticks(range(len(labels)), labels, parse_math=False)
    ax.tick_params(axis="x", length=0, labelsize="small", rotation=90 * long)
    ax.set_xlim(-0.6, len(labels) - 0.4)

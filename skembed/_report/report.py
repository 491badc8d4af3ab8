"""TokenReport: what an estimator has learned of its tokens, as one HTML page."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .._data.columns import as_table
from .._data.wording import several, shown
from .._files import whole_file
from .._plot._fitted import before
from .._space.checks import check_flag, check_names
from .._space.questions import TokenQuestionsMixin
from .._space.token_tables import select_table, token_tables
from .columns import Subject, describe
from .figures import need_bokeh
from .fit import fit_facts
from .outcomes import as_outcomes
from .page import in_frame, page
from .progress import Progress

__all__ = ["TokenReport"]

# Pixels of height of the frame in a notebook.
_HEIGHT = 900


class TokenReport:
    """Look at the tokens: a page for the browser, with everything in one file.

    For every column of tokens the page has a map of the vectors, a search, a card of
    the token that is chosen (its count, its effect with an interval, its vector, its
    nearest tokens and whether their order is sure), the effects in order with their
    intervals, and the list of what is selected, to copy or to save as CSV. The first
    tab shows the fit: losses, scores, scales, parameters and versions. The file needs
    no network and follows the light or dark colours of the reader.

    The report is made when the object is: an estimator that learns more later does not
    change it.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`EmbeddingRegressor`, :class:`EmbeddingClassifier`,
        :class:`EmbeddingEncoder` or :class:`TokenSimilarity`, a search around one or a
        Pipeline that ends in one. Of an encoder its `estimator_` is shown, the plain
        fit. With a TokenSimilarity the nearest tokens are those of its metric.
    X : {array-like, dataframe} of shape (n_samples, n_features), default=None
        Rows in which tokens are compared, best those of fit: effects are means over up
        to 100 of them. None makes up such rows from what the estimator knows of every
        column by itself, unless there is one column only, which needs none.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        The outcomes of `X`: the score, and the mean and the outcomes of every token's
        rows are then shown.
    feature : str or int, default=None
        The column to show, by name or by index in `X`. None shows all.
    labels : dict or callable, default=None
        Names of tokens in the report: a dict from tokens to names, or a function.
    metadata : dict or dataframe, default=None
        More columns to see on the cards and to colour the map by: from their names to
        one value per token, in the order of `categories_` or as a dict from tokens. If
        several columns are shown: a dict from these columns, by name or index, to that.
    title : str, default=None
        Title of the page. None names the estimator.
    reducer : transformer, default=None
        Draws a second map, for example ``umap.UMAP(random_state=0)``: its
        `fit_transform` turns vectors into two columns.
    verbose : bool, default=True
        Whether a line on the terminal says how far the report is, if it takes longer
        than a second.

    See Also
    --------
    EmbeddingDisplay : A map as a Matplotlib figure.
    TokenSimilarity : The same questions about tokens, in Python.

    Notes
    -----
    **Effects** are in units of the outcome (for a classifier: of a class's
    probability). The effect of a token is the mean prediction with that token in each
    of the reference rows, less the mean over all tokens by their counts. The intervals
    have 90 % of the posterior, with predictions treated as linear in the vector.
    **Distances** are root mean square differences between these predictions; the
    reference rows and the distances are those of
    ``TokenSimilarity(FrozenEstimator(estimator), metric="outcome", random_state=0)``
    fitted on `X`. Two neighbours are **tied** as in
    :meth:`TokenSimilarity.most_similar`. The **map** shows the principal axes of these
    predictions: one unit in any direction is one unit of the outcome.

    Of more than 50,000 tokens of a column, the most frequent 50,000 are shown.

    Examples
    --------
    >>> from skembed import EmbeddingRegressor, TokenReport
    >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
    >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
    >>> report = TokenReport(regressor, X=X, y=y, title="Three colours")
    >>> report
    <TokenReport 'Three colours': 1 column, 3 tokens. Use .open() to display>
    >>> "Three colours" in report.html()
    True
    """

    def __init__(
        self,
        estimator,
        *,
        X=None,
        y=None,
        feature=None,
        labels=None,
        metadata=None,
        title=None,
        reducer=None,
        verbose=True,
    ):
        need_bokeh()
        check_names("labels", labels)
        if not isinstance(title, str | None):
            raise TypeError(
                f"title must be a string or None, got {shown(title)}, a "
                f"{type(title).__name__}."
            )
        if y is not None and X is None:
            raise ValueError("y belongs to the rows of X: pass X, too.")
        progress = Progress(check_flag("verbose", verbose))
        inner, similarity, predictor = _opened(estimator)
        tables = token_tables(predictor)
        if not tables:
            raise ValueError(
                f"{type(predictor).__name__} was fitted without a column of tokens, so "
                "there is nothing to look at: set its categorical_features and fit it "
                "again."
            )
        chosen = tables
        if similarity is not None:  # it may be of one column only
            columns = {space.table.column for space in similarity._spaces}
            chosen = [table for table in tables if table.column in columns]
        if feature is not None:
            chosen = [select_table(chosen, feature)]
        self.title = title or f"Tokens of {type(inner).__name__}"
        table_X, outcomes, score = None, None, None
        if X is not None:
            table_X = as_table(before(estimator, X))
            _refuse_other_columns(predictor, table_X)
        if y is not None:
            _refuse_other_rows(table_X, y)
            progress.say("score")
            outcomes = as_outcomes(predictor, y)
            score = float(predictor.score(table_X, y))
        subject = Subject(
            estimator=predictor,
            similarity=similarity,
            tables=tables,
            X=table_X,
            outcomes=outcomes,
            outcome_name=_name_of(y),
            labels=labels,
            reducer=reducer,
        )
        self._fit = fit_facts(inner, predictor, tables, score)
        self._columns = []
        with warnings.catch_warnings():
            # Tokens are put into rows that are made here and have no names.
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            for k, table in enumerate(chosen):
                where = f"column {k + 1} of {len(chosen)}, {shown(table.name)}"
                found = describe(
                    subject,
                    table,
                    _of_column(metadata, table, chosen),
                    lambda text, where=where: progress.say(f"{where}: {text}"),
                )
                self._columns.append(found)
        progress.end()

    def html(self):
        """Return the report as a whole page.

        Returns
        -------
        html : str
            An HTML document that needs nothing else.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor, TokenReport
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> TokenReport(regressor).html()[:15]
        '<!doctype html>'
        """
        return page(self.title, self._fit, self._columns)

    def html_snippet(self):
        """Return the report as a piece of a page: a frame that holds the whole report.

        Returns
        -------
        html : str
            An ``iframe`` element.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor, TokenReport
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> TokenReport(regressor).html_snippet()[:7]
        '<iframe'
        """
        return in_frame(self.html(), self.title, _HEIGHT)

    def write_html(self, path):
        """Write the report to a file.

        Parameters
        ----------
        path : str or path-like
            The file. What is there is replaced when all of the report is on the disk,
            and stays as it is if anything goes wrong before.

        Returns
        -------
        path : pathlib.Path
            The file.

        Raises
        ------
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from skembed import EmbeddingRegressor, TokenReport
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     TokenReport(regressor).write_html(Path(folder) / "colours.html").name
        'colours.html'
        """
        content = self.html().encode("utf-8")
        with whole_file(path) as file:
            file.write(content)
        return Path(path)

    def open(self):
        """Show the report in the browser.

        Raises
        ------
        RuntimeError
            If no browser asked for the page within ten seconds.

        Examples
        --------
        >>> from skembed import EmbeddingRegressor, TokenReport
        >>> X, y = [["red"], ["green"], ["blue"]] * 20, [1.0, 2.0, 4.0] * 20
        >>> regressor = EmbeddingRegressor(epochs=20, random_state=0).fit(X, y)
        >>> TokenReport(regressor).open()  # doctest: +SKIP
        """
        from .serve import show

        show(self.html())

    def _repr_html_(self):
        return self.html_snippet()

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html_snippet(), "text/plain": repr(self)}

    def __repr__(self):
        n = len(self._columns)
        tokens = sum(facts["total"] for facts, _ in self._columns)
        return (
            f"<{type(self).__name__} {shown(self.title)}: {n} "
            f"column{'s' * (n != 1)}, {tokens:,} tokens. Use .open() to display>"
        )


def _opened(estimator):
    """Return what the user means, the TokenSimilarity in it or None, the predictor."""
    inner = _within(estimator)
    if not isinstance(inner, type) and hasattr(inner, "fit"):
        check_is_fitted(inner)
    similarity, found = None, inner
    while not isinstance(found, type):
        if isinstance(found, TokenQuestionsMixin):
            similarity = found
        if hasattr(found, "embeddings_") and hasattr(found, "predict"):
            return inner, similarity, found
        if not hasattr(found, "estimator_"):
            break
        found = _within(found.estimator_)
    raise TypeError(
        f"{shown(estimator)} has no embeddings_ to report on: pass a fitted estimator "
        "of skembed, or a Pipeline that ends in one."
    )


def _within(estimator):
    """Return what pipelines, searches and frozen estimators hold."""
    while True:
        if isinstance(estimator, Pipeline):
            estimator = estimator[-1]
        elif isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def _refuse_other_columns(predictor, X):
    if X.shape[1] != predictor.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} columns, but {type(predictor).__name__} was fitted on "
            f"{predictor.n_features_in_}: pass the columns of fit."
        )


def _refuse_other_rows(X, y):
    n = len(y) if hasattr(y, "__len__") else np.asarray(y).shape[0]
    if n != X.shape[0]:
        raise ValueError(
            f"X and y must have one row each for every sample, got {X.shape[0]} rows "
            f"in X and {n} in y."
        )


def _name_of(y):
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else None


def _of_column(metadata, table, chosen):
    """Return what the user says of the tokens of one column."""
    if metadata is None or len(chosen) == 1 and not _is_by_column(metadata, table):
        return metadata
    if not isinstance(metadata, dict):
        raise ValueError(
            f"metadata must be a dict from columns of tokens, some of "
            f"{several([other.name for other in chosen])}, to what is known of their "
            f"tokens, got {shown(metadata)}; or pick one column by feature=."
        )
    by_column = {}
    for name, known in metadata.items():
        try:
            by_column[select_table(chosen, name).name] = known
        except ValueError as error:
            raise ValueError(
                f"metadata of several columns is a dict from these columns: {error}"
            ) from None
    return by_column.get(table.name)


def _is_by_column(metadata, table):
    """Whether metadata of a single column is given under its name, too."""
    if not isinstance(metadata, dict) or len(metadata) != 1:
        return False
    ((name, known),) = metadata.items()
    if name != table.name and name != table.column:
        return False
    # By its name there is a table of columns, not one value per token.
    return hasattr(known, "columns") or (
        isinstance(known, dict) and any(map(_is_column, known.values()))
    )


def _is_column(values):
    return hasattr(values, "__len__") and not isinstance(values, str | bytes)

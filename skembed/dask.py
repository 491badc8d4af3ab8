"""Estimators on the workers of a Dask cluster: the data stay where they are.

Needs the extra ``[dask]``: ``pip install 'skembed[dask]'``. Read more in
:ref:`machines`.
"""

import numpy as np

from ._classifier import EmbeddingClassifier
from ._data.columns import as_tokens
from ._regressor import EmbeddingRegressor

__all__ = ["DaskEmbeddingClassifier", "DaskEmbeddingRegressor"]


class _OnDask:
    """What the estimators on Dask have in common."""

    def __init__(self, *, client=None, **parameters):
        super().__init__(**parameters)
        self.client = client

    @classmethod
    def _get_param_names(cls):
        return sorted([*cls._plain._get_param_names(), "client"])

    def __sklearn_clone__(self):
        # A client is a connection, which cannot be copied.
        return type(self)(client=self.client, **self._local().get_params(deep=False))

    def __getstate__(self):
        return {**super().__getstate__(), "client": None}

    def _local(self):
        """A plain estimator of the same parameters."""
        names = self._plain._get_param_names()
        return self._plain(**{name: getattr(self, name) for name in names})

    def to_local(self):
        """The fitted estimator as a plain one, which needs no Dask.

        Returns
        -------
        estimator : EmbeddingRegressor or EmbeddingClassifier
        """
        local = self._local()
        own = set(self._get_param_names())
        vars(local).update({k: v for k, v in vars(self).items() if k not in own})
        return local

    def fit(self, X, y, sample_weight=None):
        """Learn a vector for every token of every categorical column.

        Parameters
        ----------
        X : dask.dataframe.DataFrame, or list of Delayed
            The rows, in parts. Delayed parts are data frames of pandas, polars or
            pyarrow, all with the same columns.
        y : dask.dataframe.Series or DataFrame, list of Delayed, or str or list of str
            The outcome, in the same parts; or the name of its column in `X`, or names.
        sample_weight : dask.dataframe.Series, list of Delayed, or str, default=None
            Weight of each row, likewise.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If `X`, `y` and `sample_weight` are not in the same parts, a parameter asks
            for what needs all rows in one place, or for the reasons of a plain fit.
        RuntimeError
            If a worker is lost, or its process killed; the message names it.
        """
        from ._dask.cluster import fitted

        self._validate_params()
        client = self._client()
        local = fitted(self._local(), _parts(X, y, sample_weight), client)
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        own = set(self._get_param_names())
        vars(self).update({k: v for k, v in vars(local).items() if k not in own})
        return self

    def partial_fit(self, *args, **kwargs):
        """Not there: `to_local` gives an estimator that has it."""
        self._refuse("partial_fit")

    def fold_in(self, *args, **kwargs):
        """Not there: `to_local` gives an estimator that has it."""
        self._refuse("fold_in")

    def calibrate(self, *args, **kwargs):
        """Not there: `to_local` gives an estimator that has it."""
        self._refuse("calibrate")

    def _refuse(self, name):
        raise NotImplementedError(
            f"{type(self).__name__} has no {name}: its rows are on several machines. "
            f"Call it with rows in memory on the estimator that to_local() gives."
        )

    def _client(self):
        if self.client is not None:
            return self.client
        try:
            from distributed import default_client
        except ImportError as error:
            raise ImportError(
                "Fits on several machines need Dask: pip install 'skembed[dask]'."
            ) from error
        try:
            return default_client()
        except ValueError as error:
            raise ValueError(
                f"{type(self).__name__} needs a client of a Dask cluster: make one "
                "before (`client = distributed.Client(...)`), or hand it in as client."
            ) from error

    def _lazily(self, method, X, meta):
        """What a method gives for each part of X, when it is asked for."""
        from dask import delayed

        self._needs_fit(method)
        local = delayed(self.to_local(), pure=False)
        if _is_delayed(X):
            predict = delayed(_predicted, pure=False)
            return [predict(part, local, method) for part in X]
        return X.map_partitions(_in_frame, local, method, meta=meta, token=None)


class DaskEmbeddingRegressor(_OnDask, EmbeddingRegressor):
    """EmbeddingRegressor on the workers of a Dask cluster.

    Every worker trains on the rows that it has, in a process of its own; see
    :ref:`machines`.

    Parameters
    ----------
    client : distributed.Client, default=None
        Of the cluster; None: the one that was made last.
    **parameters
        Those of :class:`~skembed.EmbeddingRegressor`, by name.

    See Also
    --------
    skembed.EmbeddingRegressor : What it gives, by `to_local`.
    skembed.machines.fit_together : The same without Dask.

    Notes
    -----
    Fitted attributes are those of :class:`~skembed.EmbeddingRegressor`. What needs all
    rows in one place is refused by name: several values in a cell, shared vocabularies,
    hierarchies, features of tokens, slopes, crosses, a head of one's own, early stopping.

    Examples
    --------
    >>> import dask.dataframe as dd, pandas as pd
    >>> from distributed import Client, LocalCluster
    >>> from skembed.dask import DaskEmbeddingRegressor
    >>> rows = pd.DataFrame({"colour": ["red", "green", "blue"] * 100})
    >>> rows["price"] = rows["colour"].map({"red": 1.0, "green": 2.0, "blue": 4.0})
    >>> with LocalCluster(n_workers=2) as cluster, Client(cluster):  # doctest: +SKIP
    ...     ddf = dd.from_pandas(rows, npartitions=4)
    ...     model = DaskEmbeddingRegressor(random_state=0).fit(ddf, "price")
    ...     print(model.predict(ddf[["colour"]]).compute().round(1).head(3).tolist())
    [1.0, 2.0, 4.0]
    """

    _plain = EmbeddingRegressor

    def predict(self, X, return_std=False):
        """Predict the outcome of each row.

        Parameters
        ----------
        X : dask.dataframe.DataFrame or list of Delayed, or as in the plain estimator
            The rows.
        return_std : bool, default=False
            For rows in memory only.

        Returns
        -------
        y : dask.dataframe.Series or DataFrame, or list of Delayed
            Lazily, part by part; of rows in memory as in the plain estimator.
        """
        if not _is_parted(X):
            return super().predict(X, return_std=return_std)
        if return_std:
            raise ValueError(
                "return_std=True gives two arrays, and these rows are in parts: map "
                "predict_std of the estimator that to_local() gives over them."
            )
        meta = {"prediction": "f8"}
        if not self._y_is_1d:
            meta = {i: "f8" for i in range(len(self._fitted.scale))}
        return self._lazily("predict", X, _meta(X, meta, self._y_is_1d))


class DaskEmbeddingClassifier(_OnDask, EmbeddingClassifier):
    """EmbeddingClassifier on the workers of a Dask cluster.

    Every worker trains on the rows that it has, in a process of its own; see
    :ref:`machines`.

    Parameters
    ----------
    client : distributed.Client, default=None
        Of the cluster; None: the one that was made last.
    **parameters
        Those of :class:`~skembed.EmbeddingClassifier`, by name.

    See Also
    --------
    skembed.EmbeddingClassifier : What it gives, by `to_local`.
    skembed.machines.fit_together : The same without Dask.

    Notes
    -----
    As for :class:`DaskEmbeddingRegressor`.

    Examples
    --------
    >>> import dask.dataframe as dd, pandas as pd
    >>> from distributed import Client, LocalCluster
    >>> from skembed.dask import DaskEmbeddingClassifier
    >>> rows = pd.DataFrame({"colour": ["red", "green", "blue"] * 100})
    >>> rows["warm"] = rows["colour"] == "red"
    >>> with LocalCluster(n_workers=2) as cluster, Client(cluster):  # doctest: +SKIP
    ...     ddf = dd.from_pandas(rows, npartitions=4)
    ...     model = DaskEmbeddingClassifier(random_state=0).fit(ddf, "warm")
    ...     print(model.predict(ddf[["colour"]]).compute().head(3).tolist())
    [True, False, False]
    """

    _plain = EmbeddingClassifier

    def predict(self, X):
        """Predict the class of each row.

        Parameters
        ----------
        X : dask.dataframe.DataFrame or list of Delayed, or as in the plain estimator
            The rows.

        Returns
        -------
        y : dask.dataframe.Series or DataFrame, or list of Delayed
            Lazily, part by part; of rows in memory as in the plain estimator.
        """
        if not _is_parted(X):
            return super().predict(X)
        if self._is_multilabel:
            meta = {i: "i8" for i in self.classes_}
        else:
            meta = {"prediction": self.classes_.dtype}
        return self._lazily("predict", X, _meta(X, meta, not self._is_multilabel))

    def predict_proba(self, X):
        """Predict the probability of each class for each row.

        Parameters
        ----------
        X : dask.dataframe.DataFrame or list of Delayed, or as in the plain estimator
            The rows.

        Returns
        -------
        proba : dask.dataframe.DataFrame, or list of Delayed
            Lazily, part by part, one column for each class; of rows in memory as in the
            plain estimator.
        """
        if not _is_parted(X):
            return super().predict_proba(X)
        meta = _meta(X, {label: "f8" for label in self.classes_}, False)
        return self._lazily("predict_proba", X, meta)


# Collections of Dask.


def _is_delayed(X):
    from dask.delayed import Delayed

    return isinstance(X, list | tuple) and bool(X) and isinstance(X[0], Delayed)


def _is_parted(X):
    """Whether these are rows in parts, for Dask to compute."""
    return _is_delayed(X) or hasattr(X, "map_partitions")


def _meta(X, columns, is_series):
    """What a prediction of a part looks like."""
    if _is_delayed(X):
        return None
    import pandas as pd

    frame = pd.DataFrame({k: pd.Series(dtype=v) for k, v in columns.items()})
    return frame["prediction"] if is_series else frame


def _predicted(part, estimator, method):
    return getattr(estimator, method)(part)


def _in_frame(part, estimator, method):
    """Predictions of a part of a data frame, under its index."""
    import pandas as pd

    if len(part):
        found = getattr(estimator, method)(part)
    else:  # as many columns as ever
        shape = (0,)
        if method == "predict_proba" or getattr(estimator, "_is_multilabel", False):
            shape = 0, len(estimator.classes_)
        found = np.empty(shape)
    if found.ndim == 1:
        return pd.Series(found, index=part.index, name="prediction")
    names = getattr(estimator, "classes_", range(found.shape[1]))
    return pd.DataFrame(found, index=part.index, columns=list(names))


def _parts(X, y, sample_weight):
    """Delayed parts of tables with their outcomes and weights."""
    from dask import delayed

    columns = list(getattr(X, "columns", []))
    tables = _delayed(X, "X")
    names = {}
    own = {"y": y, "sample_weight": sample_weight}
    parts = {"y": None, "sample_weight": None}
    for what, values in own.items():
        if values is None:
            if what == "y":
                raise ValueError("y is None: give the outcome, or its column's name.")
            continue
        is_list = isinstance(values, list | tuple) and what == "y"
        of_names = list(values) if is_list else [values]
        if of_names and all(isinstance(name, str) for name in of_names):
            missing = [name for name in of_names if columns and name not in columns]
            if missing:
                raise ValueError(f"X has no column {missing[0]!r}, which {what} names.")
            names[what] = list(values) if is_list else values
            continue
        parts[what] = _delayed(values, what)
        if len(parts[what]) != len(tables):
            raise ValueError(
                f"X comes in {len(tables)} parts and {what} in {len(parts[what])}: both "
                "must be parted in the same way."
            )
    part = delayed(_part, pure=False)
    none = [None] * len(tables)
    return [
        part(table, a, b, names)
        for table, a, b in zip(
            tables, parts["y"] or none, parts["sample_weight"] or none, strict=True
        )
    ]


def _delayed(values, what):
    """Parts of a collection."""
    if _is_delayed(values):
        return list(values)
    if hasattr(values, "to_delayed") and hasattr(values, "npartitions"):
        if hasattr(values, "map_partitions"):
            return list(values.to_delayed())
    raise TypeError(
        f"{what} is a {type(values).__name__}; on Dask it is a data frame or series of "
        "dask.dataframe, or a list of delayed data frames (or, beside X, the name of a "
        "column). Arrays: dask.dataframe.from_dask_array. Rows in memory: the plain "
        "estimator."
    )


def _part(table, y, weights, names):
    """Table, outcomes and weights of a part."""
    from ._data import frames

    if not frames.is_frame(table):
        raise TypeError(
            f"A part of X is a {type(table).__name__}; it must be a data frame of "
            "pandas, polars or pyarrow."
        )
    if "y" in names:
        own = names["y"]
        y = table[own] if isinstance(own, str) else [table[name] for name in own]
    if "sample_weight" in names:
        weights = table[names["sample_weight"]]
    apart = {names.get("sample_weight")}
    apart |= (
        {names["y"]} if isinstance(names.get("y"), str) else set(names.get("y", ()))
    )
    left = [name for name in frames.names(table) if name not in apart]
    if not left:
        raise ValueError(f"X has no columns beside {sorted(filter(None, apart))}.")
    table = frames.select(table, left)
    y = _outcomes(y)
    weights = None if weights is None else as_tokens(weights)
    for what, values in {"y": y, "sample_weight": weights}.items():
        if values is not None and len(values) != len(table):
            raise ValueError(
                f"A part of X has {len(table)} rows, and the same part of {what} "
                f"{len(values)}."
            )
    return table, y, weights


def _outcomes(y):
    """One array of the outcomes of a part."""
    from ._data import frames

    if frames.is_frame(y):
        y = [y[name] for name in frames.names(y)]
    if isinstance(y, list) and y and not np.isscalar(y[0]):
        return np.stack([as_tokens(column) for column in y], axis=1)
    if isinstance(y, np.ndarray) and y.ndim == 2:
        return y
    return as_tokens(y)

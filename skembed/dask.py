"""Estimators on the workers of a Dask cluster: the data stay where they are.

Needs the extra ``[dask]``: ``pip install 'skembed[dask]'``. Read more in
:ref:`machines`.
"""

from ._classifier import EmbeddingClassifier
from ._dask.parts import (
    is_delayed,
    is_parted,
    labelled_parts,
    meta_of,
    predicted,
    predicted_frame,
)
from ._regressor import EmbeddingRegressor

__all__ = ["DaskEmbeddingClassifier", "DaskEmbeddingRegressor"]


class _OfPlainOnes:
    """A method that the plain estimators have and those on Dask have not.

    What looks whether it is there finds that it is not, as scikit-learn's searches and
    pipelines do.
    """

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        raise AttributeError(
            f"{owner.__name__} has no {self.name}: its rows are on several machines. "
            "Call it with rows in memory on the estimator that to_local() gives."
        )


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
        if getattr(self, "_skl_callbacks", None):
            raise ValueError(
                "Callbacks of scikit-learn see the rows and the network after every "
                f"epoch, and those of {type(self).__name__} are on other machines: "
                "leave them out."
            )
        client = self._client()
        local = fitted(self._local(), labelled_parts(X, y, sample_weight), client)
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        own = set(self._get_param_names())
        vars(self).update({k: v for k, v in vars(local).items() if k not in own})
        return self

    partial_fit, fold_in, calibrate = _OfPlainOnes(), _OfPlainOnes(), _OfPlainOnes()

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
        if is_delayed(X):
            predict = delayed(predicted, pure=False)
            return [predict(part, local, method) for part in X]
        return X.map_partitions(predicted_frame, local, method, meta=meta, token=None)


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
    hierarchies, features of tokens, slopes, curves and crosses, a head of one's own,
    early stopping, callbacks other than a :class:`~skembed.Checkpoint`.

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
        if not is_parted(X):
            return super().predict(X, return_std=return_std)
        if return_std:
            raise ValueError(
                "return_std=True gives two arrays, and these rows are in parts: map "
                "predict_std of the estimator that to_local() gives over them."
            )
        meta = {"prediction": "f8"}
        if not self._y_is_1d:
            meta = {i: "f8" for i in range(len(self._fitted.scale))}
        return self._lazily("predict", X, meta_of(X, meta, self._y_is_1d))


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
        if not is_parted(X):
            return super().predict(X)
        if self._is_multilabel:
            meta = {i: "i8" for i in self.classes_}
        else:
            meta = {"prediction": self.classes_.dtype}
        return self._lazily("predict", X, meta_of(X, meta, not self._is_multilabel))

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
        if not is_parted(X):
            return super().predict_proba(X)
        meta = meta_of(X, {label: "f8" for label in self.classes_}, False)
        return self._lazily("predict_proba", X, meta)

"""The other methods, each as ``fit_predict(table, train, test, seed)``.

All run on one thread and return the predictions for the test rows (the probability
of class 1 for classes) and the seconds of the fit: wall clock and processor.
Fitting includes the encoding of the columns and the choice of settings.
"""

import time

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)
from threadpoolctl import threadpool_limits

MAX_NETWORK_ROWS = 50_000
CATBOOST = {
    "iterations": 500,
    "learning_rate": 0.1,
    "early_stopping_rounds": 30,
    "max_ctr_complexity": 2,
    "thread_count": 1,
    "verbose": False,
    "allow_writing_files": False,
}


def _predict(model, X, task):
    return model.predict(X) if task == "regression" else model.predict_proba(X)[:, 1]


def _holdout(table, train, seed):
    """Return `train` in two parts, 90 % to fit and 10 % to choose or to stop by."""
    stratify = table.y[train] if table.task == "classification" else None
    return train_test_split(train, test_size=0.1, random_state=seed, stratify=stratify)


def _timed(fit, table, test):
    """Call `fit`, which returns (model, preparation of X), and predict."""
    with threadpool_limits(1):
        wall, cpu = time.perf_counter(), time.process_time()
        model, prepare = fit()
        seconds = time.perf_counter() - wall, time.process_time() - cpu
        return _predict(model, prepare(table.X.iloc[test]), table.task), seconds


def _same(X):
    return X


def _one_hot(table):
    numeric = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), table.categorical),
        (numeric, table.numeric),
    )


def linear(table, train, test, seed):
    """One-hot columns and ridge or logistic regression, strength tuned."""

    def fit():
        fit_rows, tune_rows = _holdout(table, train, seed)
        encoder = _one_hot(table).fit(table.X.iloc[fit_rows])
        Z_fit, Z_tune = (
            encoder.transform(table.X.iloc[r]) for r in (fit_rows, tune_rows)
        )
        if table.task == "regression":
            candidates = [Ridge(alpha=a) for a in np.logspace(-2, 3, 11)]
            loss = mean_squared_error
        else:
            candidates = [
                LogisticRegression(C=c, max_iter=300) for c in np.logspace(-3, 1, 9)
            ]
            loss = log_loss
        losses = [
            loss(
                table.y[tune_rows],
                _predict(m.fit(Z_fit, table.y[fit_rows]), Z_tune, table.task),
            )
            for m in candidates
        ]
        best = candidates[int(np.argmin(losses))]
        model = make_pipeline(_one_hot(table), best)
        return model.fit(table.X.iloc[train], table.y[train]), _same

    return _timed(fit, table, test)


def _hist_gb(task, seed, **settings):
    boosting = (
        HistGradientBoostingRegressor
        if task == "regression"
        else HistGradientBoostingClassifier
    )
    return boosting(
        max_iter=500,
        learning_rate=0.1,
        early_stopping=True,
        n_iter_no_change=20,
        random_state=seed,
        **settings,
    )


def target_hist_gb(table, train, test, seed):
    """Cross-fitted TargetEncoder and histogram gradient boosting."""
    target_type = "continuous" if table.task == "regression" else "binary"
    folds = KFold if table.task == "regression" else StratifiedKFold
    encoder = TargetEncoder(
        target_type=target_type, cv=folds(5, shuffle=True, random_state=seed)
    )
    model = make_pipeline(
        make_column_transformer(
            (encoder, table.categorical), ("passthrough", table.numeric)
        ),
        _hist_gb(table.task, seed),
    )
    return _timed(
        lambda: (model.fit(table.X.iloc[train], table.y[train]), _same), table, test
    )


def hist_gb(table, train, test, seed):
    """Histogram gradient boosting on categories, the rarest pooled beyond 255."""
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=255
    )
    model = make_pipeline(
        make_column_transformer(
            (encoder, table.categorical), ("passthrough", table.numeric)
        ),
        _hist_gb(
            table.task, seed, categorical_features=list(range(len(table.categorical)))
        ),
    )
    return _timed(
        lambda: (model.fit(table.X.iloc[train], table.y[train]), _same), table, test
    )


def lightgbm(table, train, test, seed):
    """LightGBM on its own categorical columns."""
    import lightgbm as lgb

    boosting = lgb.LGBMRegressor if table.task == "regression" else lgb.LGBMClassifier

    def fit():
        kinds = {
            c: table.X[c].iloc[train].astype("category").dtype
            for c in table.categorical
        }

        def prepare(X):
            return X.astype(kinds)

        fit_rows, stop_rows = _holdout(table, train, seed)
        model = boosting(
            n_estimators=1_000,
            learning_rate=0.05,
            n_jobs=1,
            random_state=seed,
            verbose=-1,
        )
        model.fit(
            prepare(table.X.iloc[fit_rows]),
            table.y[fit_rows],
            eval_X=prepare(table.X.iloc[stop_rows]),
            eval_y=table.y[stop_rows],
            callbacks=[lgb.early_stopping(50, verbose=False)],
        )
        return model, prepare

    return _timed(fit, table, test)


def catboost(table, train, test, seed):
    """CatBoost on its own categorical columns."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    boosting = CatBoostRegressor if table.task == "regression" else CatBoostClassifier

    def prepare(X):
        return X.fillna(dict.fromkeys(table.categorical, "missing"))

    def fit():
        fit_rows, stop_rows = _holdout(table, train, seed)
        model = boosting(cat_features=table.categorical, random_seed=seed, **CATBOOST)
        model.fit(
            prepare(table.X.iloc[fit_rows]),
            table.y[fit_rows],
            eval_set=(prepare(table.X.iloc[stop_rows]), table.y[stop_rows]),
        )
        return model, prepare

    return _timed(fit, table, test)


def _network_rows(train, seed):
    if len(train) <= MAX_NETWORK_ROWS:
        return train
    rng = np.random.default_rng(seed)
    return rng.choice(train, MAX_NETWORK_ROWS, replace=False)


def mlp(table, train, test, seed):
    """One hidden layer of 64 on one-hot columns, at most 50,000 training rows."""
    network = MLPRegressor if table.task == "regression" else MLPClassifier
    model = make_pipeline(
        _one_hot(table),
        network(
            hidden_layer_sizes=(64,),
            batch_size=512,
            early_stopping=True,
            random_state=seed,
        ),
    )
    rows = _network_rows(train, seed)
    y = table.y[rows]
    centre, scale = (y.mean(), y.std()) if table.task == "regression" else (0, 1)

    def fit():
        target = (y - centre) / scale if table.task == "regression" else y
        return model.fit(table.X.iloc[rows], target), _same

    predicted, seconds = _timed(fit, table, test)
    return centre + scale * predicted, seconds


def realmlp(table, train, test, seed):
    """RealMLP with its tuned defaults, 64 epochs, at most 50,000 training rows."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    if table.task == "regression":
        network, settings = RealMLP_TD_Regressor, {}
    else:
        # Its authors' advice where probabilities count: the defaults aim at accuracy.
        network = RealMLP_TD_Classifier
        settings = {"val_metric_name": "cross_entropy", "use_ls": False}

    def prepare(X):
        X = X.copy()
        for c in table.categorical:
            X[c] = X[c].fillna("missing").astype("category")
        # RealMLP takes no missing numbers: the training mean and an indicator.
        for c in table.numeric:
            if table.X[c].isna().any():
                X[f"{c} is missing"] = X[c].isna().astype(np.float64)
                X[c] = X[c].fillna(means[c])
        return X

    rows = _network_rows(train, seed)
    means = table.X.iloc[rows][table.numeric].mean()

    def fit():
        model = network(
            device="cpu",
            n_epochs=64,
            n_threads=1,
            random_state=seed,
            verbosity=0,
            **settings,
        )
        y = table.y[rows].astype(np.float32 if table.task == "regression" else int)
        model.fit(prepare(table.X.iloc[rows]), y, cat_col_names=table.categorical)
        return model, prepare

    return _timed(fit, table, test)


# Method -> (function, heading, packages whose version a result depends on).
PEERS = {
    "linear": (linear, "one-hot + linear", ["scikit-learn"]),
    "target_hist_gb": (target_hist_gb, "TargetEncoder + HistGB", ["scikit-learn"]),
    "hist_gb": (hist_gb, "HistGB native", ["scikit-learn"]),
    "lightgbm": (lightgbm, "LightGBM", ["lightgbm"]),
    "catboost": (catboost, "CatBoost", ["catboost"]),
    "mlp": (mlp, "MLP on one-hot", ["scikit-learn"]),
    "realmlp": (realmlp, "RealMLP", ["pytabkit", "torch"]),
}

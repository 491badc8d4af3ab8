"""
Pipelines and grid search
=========================

All estimators follow scikit-learn's conventions: they can be cloned, used in pipelines
and tuned by a search. Networks of the same shape share one compiled graph, so a search
compiles once per shape.
"""

# %%
# We search over the length of the vectors and the learning rate, on a subset of the
# flights.

from sklearn.model_selection import GridSearchCV, train_test_split

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(
    flights.data, flights.target, train_size=3000, test_size=2000, random_state=0
)
search = GridSearchCV(
    EmbeddingRegressor(epochs=6, random_state=0),
    {"embedding_dim": [2, 8], "learning_rate": [1e-3, 5e-3]},
    cv=3,
).fit(X_train, y_train)
print(search.best_params_, f"{search.score(X_test, y_test):.3f}")

# %%
# A pipeline can prepare the columns first. Here it cuts the hour into parts of the day,
# which makes it a token. The other columns pass through.

import pandas as pd
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


def with_part_of_day(X):
    parts = pd.cut(X["hour"], [0, 9, 14, 18, 24], labels=["am", "noon", "pm", "night"])
    return X.assign(hour=parts.astype(str))


model = make_pipeline(
    FunctionTransformer(with_part_of_day),
    EmbeddingRegressor(epochs=6, random_state=0),
).fit(X_train, y_train)
print(f"held-out R2 {model.score(X_test, y_test):.3f}")
print(model[-1].categories_[-1])

# %%
# Which columns matter? `permutation_importance` shuffles one column after the other.
# (On this scale a column without any importance has no bar.)

import matplotlib.pyplot as plt
from sklearn.inspection import permutation_importance

importance = permutation_importance(
    search.best_estimator_, X_test, y_test, n_repeats=3, random_state=0
)
order = importance.importances_mean.argsort()
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
ax.barh(X_test.columns[order], importance.importances_mean[order], log=True)
ax.set_xlabel("loss of R2 when the column is shuffled (log scale)")
plt.show()

# %%
# Distances to tokens can be features, too. Here :class:`~skembed.TokenSimilarity` is a
# step of the pipeline, with its own parameters in the search.

from sklearn.neighbors import KNeighborsRegressor

from skembed import TokenSimilarity

by_neighbors = make_pipeline(
    TokenSimilarity(
        EmbeddingRegressor(epochs=6, random_state=0), feature="dest", random_state=0
    ),
    KNeighborsRegressor(50),
)
search = GridSearchCV(
    by_neighbors, {"tokensimilarity__metric": ["euclidean", "outcome"]}, cv=2
).fit(X_train, y_train)
print(search.best_params_, f"{search.score(X_test, y_test):.3f}")

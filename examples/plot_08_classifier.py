"""
Classes: the airport of departure
=================================

:class:`~skembed.EmbeddingClassifier` predicts classes. New York has three airports.
From the airline, the destination, the month and the hour we predict from which of them
a flight departed.
"""

from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skembed import EmbeddingClassifier
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X = flights.data[["carrier", "dest", "month", "hour"]]
X_train, X_test, y_train, y_test = train_test_split(
    X, flights.data["origin"], train_size=12_000, test_size=5000, random_state=0
)
classifier = EmbeddingClassifier(epochs=10, random_state=0).fit(X_train, y_train)
print(classifier.classes_)
print(f"held-out accuracy {classifier.score(X_test, y_test):.3f}")
print(f"held-out log loss {log_loss(y_test, classifier.predict_proba(X_test)):.3f}")

# %%
# For comparison: the frequencies of the classes alone, and a logistic regression on
# one-hot columns.

from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

one_hot = make_pipeline(
    OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=1000)
)
for name, model in {"frequencies": DummyClassifier(), "one-hot": one_hot}.items():
    model.fit(X_train, y_train)
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"{name:12} accuracy {model.score(X_test, y_test):.3f}, log loss {loss:.3f}")

# %%
# Are the probabilities calibrated? Of the flights with a predicted probability of 70 %
# for an airport, 70 % should have departed from it.

import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
for k, airport in enumerate(classifier.classes_):
    CalibrationDisplay.from_predictions(
        y_test == airport,
        classifier.predict_proba(X_test)[:, k],
        n_bins=8,
        strategy="quantile",
        name=airport,
        ax=ax,
    )
plt.show()

# %%
# Which airlines have similar predictions? Airlines that fly from the same airports are
# near. The distance is measured in probabilities.

from skembed import SimilarityDisplay

display = SimilarityDisplay.from_estimator(
    classifier, X_train, feature="carrier", metric="outcome"
)

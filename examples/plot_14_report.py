"""
A report: look at every token
=============================

One line makes a page to look at what an estimator has learned: a map, a search, a card
for every token, the effects in order. This one is of the flights out of New York.
"""

# %%
# The estimator predicts the minutes in the air.

from sklearn.model_selection import train_test_split

from skembed import EmbeddingRegressor, TokenReport
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X, y = flights.data.drop(columns="tailnum"), flights.target
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
regressor = EmbeddingRegressor(epochs=10, random_state=0).fit(X_train, y_train)

# %%
# The report
# ----------
# `labels` names the airports by their cities. `metadata` adds columns to the cards, by
# which the map can be coloured: choose "longitude" in the tab "dest". The model has
# never seen it. Click on a token to see its effect and its nearest tokens; drag across
# the effects, or use the lasso, to select several.

airports = flights.airports
report = TokenReport(
    regressor,
    X=X_train,
    y=y_train,
    labels=airports["city"].to_dict(),
    metadata={
        "dest": {
            "longitude": airports["lon"].to_dict(),
            "latitude": airports["lat"].to_dict(),
        }
    },
    title="Minutes in the air out of New York",
)
report

# %%
# In a script, ``report.open()`` shows it in the browser, and ``write_html`` writes a
# single file that needs no network.

import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    path = report.write_html(Path(folder) / "flights.html")
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")

# sphinx_gallery_thumbnail_path = 'images/report.png'

"""
Which tokens are alike
======================

:class:`~skembed.TokenSimilarity` reads the vectors of a fitted estimator and answers
questions about tokens: which ones are nearest, what sums and differences of vectors are
close to, and whether the data can separate two candidates at all.
"""

# %%
# We fit the flights once (see :ref:`sphx_glr_auto_examples_plot_02_flights.py`). A
# `FrozenEstimator` passes the fitted estimator on without fitting it again.

from sklearn.frozen import FrozenEstimator

from skembed import EmbeddingRegressor, TokenSimilarity
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
X, y = flights.data.drop(columns="tailnum"), flights.target
city = flights.airports["city"].to_dict()
regressor = EmbeddingRegressor(epochs=10, random_state=0).fit(X, y)


def ask(metric):
    return TokenSimilarity(
        FrozenEstimator(regressor), feature="dest", metric=metric, random_state=0
    ).fit(X, y)


# %%
# Two ways to be near
# -------------------
# "euclidean" compares the whole vector: the first-order effect of the destination, and
# how it interacts with airlines, months and hours. "outcome" compares the predictions,
# in minutes.

for metric in ("euclidean", "outcome"):
    near = ask(metric).most_similar("SEA", n=4)
    print(f"{metric:10}", ", ".join(f"{city[d]} {gap:.2f}" for d, gap in near))

# %%
# Is the order certain?
# ---------------------
# With `return_tied` every answer says whether it could change places with the next one.
# A tie is not a defect of the method: this many flights do not determine the order.

outcome = ask("outcome")
for dest, minutes, tied in outcome.most_similar("SEA", n=6, return_tied=True):
    mark = "tied with the next" if tied else ""
    print(f"{city[dest]:16} {minutes:5.1f} min  {mark}")

# %%
# The same as a probability: how probable is it that Portland (PDX) is nearer to Seattle
# than San Diego is, and than San Francisco is?

print(outcome.probability_nearer("PDX", ["SAN", "SFO"], to="SEA").round(2))

# %%
# Between two places
# ------------------
# Which destinations lie halfway between Boston and Los Angeles, in minutes?

vector, neighbors = outcome.mix({"BOS": 0.5, "LAX": 0.5}, n=3)
print([city[dest] for dest, _ in neighbors])

# %%
# Spelling
# --------
# An unknown token raises an error, which suggests the nearest spelling.

try:
    outcome.most_similar("SFo")
except ValueError as error:
    print(error)

# %%
# As a transformer
# ----------------
# `transform` returns, for each row, the distances of its token to all tokens or to the
# `targets`, for any model that follows in a pipeline.

hubs = (
    TokenSimilarity(
        FrozenEstimator(regressor),
        feature="dest",
        metric="outcome",
        targets=["BOS", "ORD", "MIA", "SFO"],
        random_state=0,
    )
    .set_output(transform="pandas")
    .fit(X, y)
)
hubs.transform(X.head()).round(1)

# %%
# All distances at once
# ---------------------

from skembed import SimilarityDisplay

display = SimilarityDisplay.from_estimator(
    regressor, X, feature="dest", metric="outcome", labels=city, max_tokens=30
)

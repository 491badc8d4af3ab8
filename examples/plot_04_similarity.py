"""
Asking who is like whom
=======================

:class:`~skembed.TokenSimilarity` reads the vectors of a fitted estimator and answers
questions about tokens: the nearest ones, sums and differences, and whether the data can
tell two candidates apart at all.
"""

# %%
# One fit on the flights (see :ref:`sphx_glr_auto_examples_plot_02_flights.py`); a
# `FrozenEstimator` hands it to several questioners without fitting it again.

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
# "euclidean" compares all that a vector holds: the effect of the destination itself,
# and how it goes together with airlines, months and hours. "outcome" compares what is
# predicted, in minutes. The first says "plays the same part", the second "gives the
# same number".

for metric in ("euclidean", "outcome"):
    near = ask(metric).most_similar("SEA", n=4)
    print(f"{metric:10}", ", ".join(f"{city[d]} {gap:.2f}" for d, gap in near))

# %%
# Is the order sure?
# ------------------
# With `return_tied` every answer says whether the next one could as well stand before
# it. A tie is no defect of the method: with this many flights the data have not
# decided.

outcome = ask("outcome")
for dest, minutes, tied in outcome.most_similar("SEA", n=6, return_tied=True):
    mark = "tied with the next" if tied else ""
    print(f"{city[dest]:16} {minutes:5.1f} min  {mark}")

# %%
# The same in one number: how probable is it that Portland (PDX) is nearer to Seattle
# than San Diego is? And than San Francisco is?

print(outcome.probability_nearer("PDX", ["SAN", "SFO"], to="SEA").round(2))

# %%
# Between two places
# ------------------
# Halfway, in minutes, between Boston and Los Angeles:

vector, neighbors = outcome.mix({"BOS": 0.5, "LAX": 0.5}, n=3)
print([city[dest] for dest, _ in neighbors])

# %%
# Spelling
# --------
# An unknown token is an error that tries to help.

try:
    outcome.most_similar("SFo")
except ValueError as error:
    print(error)

# %%
# As a transformer
# ----------------
# `transform` gives for each row the distance of its token to all tokens, or to the
# `targets`, for any model that comes after it in a pipeline.

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

"""
Exporting the vectors
=====================

A fitted estimator has a small pickle and needs no TensorFlow to predict. Its vectors
can also be exported to a data frame, gensim or TensorBoard.
"""

import pickle
import tempfile
from pathlib import Path

from skembed import EmbeddingRegressor
from skembed.datasets import load_flights

flights = load_flights(as_frame=True)
some = flights.frame.sample(8000, random_state=0)
X, y = some[["carrier", "origin", "dest", "month", "hour"]], some["air_time"]
regressor = EmbeddingRegressor(4, epochs=10, random_state=0).fit(X, y)

# %%
# A pickle
# --------
# After `fit` the state consists of token lists and NumPy arrays.

stored = pickle.dumps(regressor)
print(f"{len(stored) / 1000:.0f} kB")
print((pickle.loads(stored).predict(X) == regressor.predict(X)).all())

# %%
# A data frame
# ------------

from skembed.export import to_frame

to_frame(regressor, feature="carrier").head().round(2)

# %%
# gensim
# ------
# The word2vec format does not allow spaces in names, so names are escaped. The tokens
# can be recovered exactly.

from gensim.models import KeyedVectors

from skembed.export import to_keyed_vectors, token_from_keyed_vectors_name

folder = Path(tempfile.mkdtemp())
path = to_keyed_vectors(regressor, folder / "month.bin", feature="month")
keyed = KeyedVectors.load_word2vec_format(path, binary=True)
name, similarity = keyed.most_similar("%int:1", topn=1)[0]
print(name, "->", token_from_keyed_vectors_name(name))

# %%
# TensorBoard
# -----------
# `to_projector` writes the vectors, their labels and a configuration. Show them with
# ``tensorboard --logdir folder``.

from skembed.export import to_projector

codes = regressor.categories_[2]
airports = flights.airports.loc[codes, ["city", "state"]]
written = to_projector(
    regressor, folder / "projector", feature="dest", metadata=airports
)
print((written / "metadata.tsv").read_text()[:120])

# %%
# A map of the months, for comparison with the projector:

from skembed import EmbeddingDisplay

display = EmbeddingDisplay.from_estimator(regressor, feature="month")

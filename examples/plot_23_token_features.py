"""
Features of tokens: misspelt names
==================================

A token is only a name, but a name has letters. With character n-grams as features the
prior of a token's vector follows from its spelling: a name that fit has never seen, for
it is misspelt, lands near the right one.
"""

# %%
# The rows are made up: a city of which the name is known, a price level, noise. Every
# tenth name of the table to predict has a slip of the keyboard in it.

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
cities = (
    "Amsterdam Barcelona Belgrade Berlin Bologna Bordeaux Bratislava Brussels "
    "Bucharest Budapest Copenhagen Dortmund Dublin Duesseldorf Edinburgh Florence "
    "Frankfurt Gothenburg Hamburg Helsinki Istanbul Krakow Leipzig Lisbon Liverpool "
    "Ljubljana London Luxembourg Madrid Manchester Marseille Munich Naples "
    "Nuremberg Palermo Paris Prague Riga Rome Rotterdam Sarajevo Seville Sofia "
    "Stockholm Strasbourg Stuttgart Tallinn Toulouse Valencia Venice Vienna Vilnius "
    "Warsaw Zagreb Zurich"
).split()
level = dict(zip(cities, rng.normal(0, 2, len(cities)), strict=True))


def misspelt(name):
    """The name with one letter left out, doubled or exchanged with the next."""
    at = rng.integers(1, len(name) - 1)
    kind = rng.integers(3)
    if kind == 0:
        return name[:at] + name[at + 1 :]
    if kind == 1:
        return name[:at] + name[at] + name[at:]
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


train = pd.DataFrame({"city": rng.choice(cities, 2_000)})
y = train["city"].map(level).to_numpy() + rng.normal(0, 0.5, 2_000)
right = rng.choice(cities, 300)
test = pd.DataFrame({"city": [misspelt(name) for name in right]})
test = test[~test["city"].isin(cities)].drop_duplicates()
truth = np.array([level[name] for name in right[test.index]])

# %%
# One row of numbers for every name, right or wrong. They know nothing of the prices.

names = [*cities, *test["city"]]
grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit(cities)
reduce = TruncatedSVD(50, random_state=0).fit(grams.transform(cities))
frame = pd.DataFrame(reduce.transform(grams.transform(names)), index=names)
frame.columns = [f"letters {j}" for j in range(frame.shape[1])]

plain = EmbeddingRegressor(2, (), random_state=0).fit(train, y)
spelt = EmbeddingRegressor(2, (), random_state=0, token_features={"city": frame})
spelt.fit(train, y)
for name, model in {"names only": plain, "with letters": spelt}.items():
    error = np.sqrt(np.mean((model.predict(test) - truth) ** 2))
    print(f"{name:13} error {error:.2f} of {truth.std():.2f}")

# %%
# What the model expects of misspelt names, over what the right ones have. Without
# letters all of them are unknown, and the same. With letters they are drawn towards the
# right ones, as far as names that are alike have levels that are alike; the bars are
# standard deviations.

import matplotlib.pyplot as plt

_, ax = plt.subplots(layout="constrained")
ax.plot(truth, plain.predict(test), "o", color="0.7", label="names only")
std = spelt.predict_std(test, include_noise=False)
ax.errorbar(
    truth, spelt.predict(test), yerr=std, fmt="o", elinewidth=0.5, label="with letters"
)
ax.axline((0, 0), slope=1, color="0.3", linestyle="--")
for row in range(0, len(test), 25):
    ax.annotate(test["city"].iloc[row], (truth[row], spelt.predict(test)[row]))
ax.set(xlabel="level of the right city", ylabel="expected for the misspelt name")
ax.legend()

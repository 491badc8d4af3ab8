"""
Shared vocabularies: the same teams at home and away
====================================================

Two columns may speak of the same tokens: home and away, buyer and seller, origin and
destination. `shared_features` says so. Each token then has one vector for all columns,
except for its first-order effects, which are of each column: what a team adds at home
it takes away from the other side as a guest.
"""

# %%
# The matches are made up. Every team has a strength, an advantage at home, and a style
# of two numbers; some styles suit each other. The outcome is the margin of the home
# team.

import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
n_teams, n_matches = 24, 3_000
strength = rng.normal(0, 1, n_teams)
at_home = 0.5 + rng.normal(0, 0.3, n_teams)
style = rng.normal(0, 1, (n_teams, 2))
home = rng.integers(0, n_teams, n_matches)
away = (home + rng.integers(1, n_teams, n_matches)) % n_teams
margin = at_home[home] + strength[home] - strength[away]
margin += (style[home] * style[away]).sum(axis=1)
teams = np.array([f"team {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWX"])
X = pd.DataFrame({"home": teams[home], "away": teams[away]})
y = margin + rng.normal(0, 0.7, n_matches)

# %%
# Six teams have only played at home so far. What happens when they travel? Apart, the
# column of guests knows nothing of them. Shared, their styles are known from home.

first = np.arange(n_matches) < 2_000
new = X["away"].isin(teams[:6]).to_numpy()
train, test = first & ~new, ~first & new
apart = EmbeddingRegressor(random_state=0).fit(X[train], y[train])
shared = EmbeddingRegressor(shared_features=[["home", "away"]], random_state=0)
shared.fit(X[train], y[train])
for name, model in {"apart": apart, "shared": shared}.items():
    error = np.sqrt(np.mean((model.predict(X[test]) - margin[test]) ** 2))
    low, high = model.predict_interval(X[test]).T
    inside = np.mean((low < y[test]) & (y[test] < high))
    print(f"{name:6} error {error:.2f}, {100 * inside:.0f} % in 90 % intervals")

# %%
# The first-order effects of the two columns mirror each other; they could not if they
# were shared, too. Those of the six teams as guests are the prior's: 0, and uncertain.

import matplotlib.pyplot as plt

effects = [vectors[:, 0] * y[train].std() for vectors in shared.embeddings_]
spreads = [found[:, 0] * y[train].std() for found in shared.embeddings_std_]
_, ax = plt.subplots(layout="constrained")
ax.errorbar(*effects, xerr=spreads[0], yerr=spreads[1], fmt="o", elinewidth=0.7)
for name, x_, y_ in zip(shared.categories_[0], *effects, strict=True):
    ax.annotate(name[-1], (x_, y_), (3, 3), textcoords="offset points")
ax.set(xlabel="effect at home", ylabel="effect away")

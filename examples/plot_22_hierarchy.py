"""
Hierarchies: a new school in a known town
=========================================

Schools are in towns, and towns in regions. A school of few pupils is best taken for its
town, and a new one can be nothing else. `hierarchy` says what is within what: the prior
mean of a school's vector is the vector of its town.
"""

# %%
# The pupils are made up. Every school has an effect about that of its town, whose
# effect is about that of its region. Many schools have few pupils.

import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
n_regions, n_towns, n_schools, n_pupils = 5, 40, 400, 4_000
region_of = rng.integers(0, n_regions, n_towns)
town_of = rng.integers(0, n_towns, n_schools)
town = rng.normal(0, 1, n_regions)[region_of] + rng.normal(0, 1, n_towns)
school = town[town_of] + rng.normal(0, 0.6, n_schools)
size = rng.zipf(1.5, n_schools).clip(max=60).astype(float)
at = rng.choice(n_schools, n_pupils, p=size / size.sum())
X = pd.DataFrame(
    {
        "school": [f"school {i}" for i in at],
        "town": [f"town {i}" for i in town_of[at]],
        "region": [f"region {i}" for i in region_of[town_of[at]]],
        "hours": rng.gamma(2.0, size=n_pupils),
    }
)
truth = school[at] + 0.3 * X["hours"].to_numpy()
y = truth + rng.normal(0, 1, n_pupils)

# %%
# Every fifth school is new: none of its pupils is in the training data.

new = pd.Series(at % 5 == 0)
model = EmbeddingRegressor(hierarchy={"school": ["town", "region"]}, random_state=0)
model.fit(X[~new], y[~new])
plain = EmbeddingRegressor(random_state=0).fit(X[~new], y[~new])
for name, one in {"plain columns": plain, "hierarchy": model}.items():
    error = np.sqrt(np.mean((one.predict(X[new]) - truth[new]) ** 2))
    low, high = one.predict_interval(X[new]).T
    inside = np.mean((low < y[new]) & (y[new] < high))
    print(f"{name:14} error {error:.2f}, {100 * inside:.0f} % in 90 % intervals")
print("scales of the priors:", [round(float(s[0]), 2) for s in model.prior_scales_])

# %%
# Schools of a few towns. A point is what the model expects of a pupil in a school, with
# a standard deviation on either side; the line is what it expects of a new school in
# that town. Small schools are drawn towards the line.

import matplotlib.pyplot as plt

towns = pd.Series(town_of).value_counts().index[:6]
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for place, number in enumerate(towns):
    rows = {"town": f"town {number}", "region": f"region {region_of[number]}"}
    seen = np.isin(np.arange(n_schools), at) & (np.arange(n_schools) % 5 > 0)
    schools = np.flatnonzero((town_of == number) & seen)
    names = ["a new one", *(f"school {i}" for i in schools)]
    table = pd.DataFrame({"school": names, **rows, "hours": 2.0})
    mean, std = model.predict(table), model.predict_std(table, include_noise=False)
    spot = place + np.linspace(-0.3, 0.3, len(schools))
    ax.errorbar(spot, mean[1:], yerr=std[1:], fmt="o", markersize=4, elinewidth=0.7)
    ax.fill_between(
        [place - 0.4, place + 0.4], mean[0] - std[0], mean[0] + std[0], alpha=0.15
    )
    ax.hlines(mean[0], place - 0.4, place + 0.4, color="0.3")
ax.set_xticks(range(6), [f"town {number}" for number in towns])
ax.set(ylabel="expected outcome")

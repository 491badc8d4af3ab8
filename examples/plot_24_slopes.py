"""
Slopes: everybody's wage grows differently
==========================================

A wage grows with experience, and not everyone's alike. With `varying_slopes` every
person has a level and a slope, both shrunk towards those of all, as far as the
person's own rows do not say otherwise: ``(1 + experience | person)`` of lme4.
"""

# %%
# The persons are made up. Most have a handful of rows, over a part of the years.

import numpy as np
import pandas as pd

from skembed import EmbeddingRegressor

rng = np.random.default_rng(0)
n_persons = 400
rows = rng.integers(2, 12, n_persons)
person = np.repeat(np.arange(n_persons), rows)
begin = rng.uniform(0, 15, n_persons)
experience = begin[person] + rng.uniform(0, 8, len(person))
level, growth = rng.normal(12, 2, n_persons), rng.normal(0.4, 0.3, n_persons)
truth = level[person] + growth[person] * experience
wage = truth + rng.normal(0, 1.5, len(person))
X = pd.DataFrame({"person": person.astype(str), "experience": experience})

# %%
# A fifth of the rows is held out.

held_out = rng.random(len(X)) < 0.2
settings = {
    "a level for each": {},
    "and a slope": {"varying_slopes": {"person": ["experience"]}},
}
models = {}
for name, parameters in settings.items():
    model = EmbeddingRegressor(random_state=0, **parameters)
    models[name] = model.fit(X[~held_out], wage[~held_out])
    error = np.sqrt(np.mean((model.predict(X[held_out]) - truth[held_out]) ** 2))
    print(f"{name:17} error of the expected wage {error:.2f}")

# %%
# `slopes_` holds how much more a wage grows per year than in general.

model = models["and a slope"]
slopes, std = model.slopes_[0, 1], model.slopes_std_[0, 1]
persons = model.categories_[0].astype(int)
print(
    "correlation with the truth:", round(np.corrcoef(slopes, growth[persons])[0, 1], 2)
)

# %%
# Nine persons: their rows, the line of the model with a standard deviation on either
# side, and in grey the line that is best for the person's own rows alone. Of two or
# three rows that line can be anything; the model's stays near the common slope.

import matplotlib.pyplot as plt

_, axes = plt.subplots(3, 3, figsize=(8, 7), sharey=True, layout="constrained")
few = np.argsort(rows)[[0, 40, 80, 120, 160, 200, 240, 300, 399]]
for ax, one in zip(axes.flat, few, strict=True):
    own = (person == one) & ~held_out
    years = np.linspace(0, 23, 40)
    line = pd.DataFrame({"person": str(one), "experience": years})
    mean, spread = model.predict(line), model.predict_std(line, include_noise=False)
    ax.fill_between(years, mean - spread, mean + spread, alpha=0.2)
    ax.plot(years, mean)
    if own.sum() > 1:
        alone = np.polyfit(experience[own], wage[own], 1)
        ax.plot(years, np.polyval(alone, years), color="0.6", linewidth=0.8)
    ax.plot(experience[own], wage[own], "o", markersize=4)
    ax.set_title(f"{own.sum()} rows", fontsize="small")
    ax.set_ylim(0, 40)
for ax in axes[-1]:
    ax.set_xlabel("years of experience")
for ax in axes[:, 0]:
    ax.set_ylabel("wage")

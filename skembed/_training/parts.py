"""Parts of a network that are trained on their own: cut out, and put back.

What a phase leaves as it is need not be computed in its steps.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class Whole:
    """All of the network."""

    layers_follow: ClassVar[bool] = False

    def problem(self, problem):
        """What is trained, of the part."""
        return problem

    def weights(self, problem, weights):
        """The weights of the part."""
        return weights

    def put_back(self, problem, weights, trained):
        """The weights of the network, with those of the part in their place."""
        return trained


@dataclass(frozen=True)
class FirstOrder:
    """The additive part: what reaches the output directly, without the layers.

    These must put out nothing. Where tables have a spread, it is the first coordinates
    of the vectors under their priors, the linear terms, the intercept and the noise.

    Attributes
    ----------
    layers_follow : bool
        Whether the layers are learned after it. Then the other coordinates of the
        vectors stay where they start; else they have nothing to say, and go to their
        prior.
    """

    layers_follow: bool

    def problem(self, problem):
        """What is trained, of the part."""
        shape, priors = problem.architecture, problem.priors
        n = shape.n_first
        return replace(
            problem,
            architecture=shape.without_layers(),
            mask=problem.mask[:, :n],
            unread=np.zeros(0, int),
            priors=priors and priors.first(n),
        )

    def weights(self, problem, weights):
        """The weights of the part."""
        shape = problem.architecture
        names = self._names(shape)
        dense = {own: weights.dense[name] for own, name in names.items()}
        table = weights.table.first(shape.n_first)
        return replace(weights, table=table, dense=dense)

    def put_back(self, problem, weights, trained):
        """The weights of the network, with those of the part in their place."""
        shape = problem.architecture
        dense = {name: trained.dense[own] for own, name in self._names(shape).items()}
        table = weights.table
        if not self.layers_follow:
            table = table.at_standard_prior()
        table = table.with_first(trained.table)
        return replace(weights, table=table, dense=weights.dense | dense)

    def _names(self, shape):
        """Names of the part's dense weights, and of the network's."""
        own = shape.without_layers()
        names = {name: name for name in own.weight_shapes()}
        names[own.intercept] = shape.intercept
        return names

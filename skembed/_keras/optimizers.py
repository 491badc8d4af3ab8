"""Update rules as functions of tensors, the same for table rows and head weights.

A Keras optimizer owns one slot variable per weight and updates all of it. Here the
rows of a table that a batch touches are gathered together with their slots, updated
and written back, so the rule has to be a function ``(gradient, slots) -> (change,
slots)`` of whatever was gathered. Each rule repeats the arithmetic of the Keras
optimizer of the same name (``keras.src.optimizers``), which the tests hold it to.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class Rule(NamedTuple):
    """An update rule with its constants; hashable, a part of the trace's key."""

    name: str
    constants: tuple = ()

    @property
    def n_slots(self):
        return _N_SLOTS[self.name](dict(self.constants))

    @property
    def slot_start(self):
        """Value every slot starts from."""
        return dict(self.constants).get("initial_accumulator_value", 0.0)

    def rates(self, learning_rates, first_step):
        """Rates of some steps, as `change` takes them: Adam's with its bias correction.

        Parameters
        ----------
        learning_rates : ndarray of shape (n_steps,)
        first_step : int
            Steps made before them.
        """
        if self.name != "adam":
            return learning_rates
        constants = dict(self.constants)
        step = first_step + 1 + np.arange(len(learning_rates), dtype=np.float64)
        one, two = (1.0 - constants[beta] ** step for beta in ("beta_1", "beta_2"))
        return learning_rates * np.sqrt(two) / one


def change(rule, gradient, slots, rate):
    """Amount to subtract from the parameters, and the new slots.

    ``slots`` is a list of ``rule.n_slots`` tensors of the gradient's shape, ``rate``
    one of ``rule.rates``.
    """
    return _RULES[rule.name](gradient, slots, rate, **dict(rule.constants))


def _adam(g, slots, lr, beta_1, beta_2, epsilon):
    m, v = slots
    m = m + (g - m) * (1.0 - beta_1)
    v = v + (tf.square(g) - v) * (1.0 - beta_2)
    return lr * m / (tf.sqrt(v) + epsilon), [m, v]


def _rmsprop(g, slots, lr, rho, momentum, epsilon, centered):
    slots = list(slots)
    v = slots[0] = slots[0] + (tf.square(g) - slots[0]) * (1.0 - rho)
    if centered:
        mean = slots[-1] = slots[-1] + (g - slots[-1]) * (1.0 - rho)
        v = v - tf.square(mean)
    step = lr * g * tf.math.rsqrt(v + epsilon)
    if momentum > 0:
        step = slots[1] = momentum * slots[1] + step
    return step, slots


def _adagrad(g, slots, lr, epsilon, initial_accumulator_value):
    total = slots[0] + tf.square(g)
    return lr * g * tf.math.rsqrt(total + epsilon), [total]


def _sgd(g, slots, lr, momentum, nesterov):
    if momentum == 0:
        return lr * g, []
    velocity = momentum * slots[0] + lr * g
    return (momentum * velocity + lr * g if nesterov else velocity), [velocity]


_RULES = {"adam": _adam, "rmsprop": _rmsprop, "adagrad": _adagrad, "sgd": _sgd}
_N_SLOTS = {
    "adam": lambda c: 2,
    "rmsprop": lambda c: 1 + (c["momentum"] > 0) + bool(c["centered"]),
    "adagrad": lambda c: 1,
    "sgd": lambda c: int(c["momentum"] > 0),
}

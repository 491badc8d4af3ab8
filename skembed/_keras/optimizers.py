"""Update rules as functions of tensors, the same for table rows and head weights.

A Keras optimizer owns one slot variable per weight and updates all of it. Here the
rows of a table that a batch touches are gathered together with their slots, updated
and written back, so the rule has to be a function ``(gradient, slots) -> (change,
slots)`` of whatever was gathered. Each rule repeats the arithmetic of the Keras
optimizer of the same name (``keras.src.optimizers``), which the tests hold it to.
"""

from typing import NamedTuple

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


def change(rule, gradient, slots, learning_rate, iteration):
    """Amount to subtract from the parameters, and the new slots.

    ``slots`` is a list of ``rule.n_slots`` tensors of the gradient's shape;
    ``iteration`` counts steps from 1 (float), for Adam's bias correction.
    """
    return _RULES[rule.name](
        gradient, slots, learning_rate, iteration, **dict(rule.constants)
    )


def _adam(g, slots, lr, t, beta_1, beta_2, epsilon):
    m, v = slots
    m = m + (g - m) * (1.0 - beta_1)
    v = v + (tf.square(g) - v) * (1.0 - beta_2)
    lr = lr * tf.sqrt(1.0 - tf.pow(beta_2, t)) / (1.0 - tf.pow(beta_1, t))
    return lr * m / (tf.sqrt(v) + epsilon), [m, v]


def _rmsprop(g, slots, lr, t, rho, momentum, epsilon, centered):
    slots = list(slots)
    v = slots[0] = slots[0] + (tf.square(g) - slots[0]) * (1.0 - rho)
    if centered:
        mean = slots[-1] = slots[-1] + (g - slots[-1]) * (1.0 - rho)
        v = v - tf.square(mean)
    step = lr * g * tf.math.rsqrt(v + epsilon)
    if momentum > 0:
        step = slots[1] = momentum * slots[1] + step
    return step, slots


def _adagrad(g, slots, lr, t, epsilon, initial_accumulator_value):
    total = slots[0] + tf.square(g)
    return lr * g * tf.math.rsqrt(total + epsilon), [total]


def _sgd(g, slots, lr, t, momentum, nesterov):
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

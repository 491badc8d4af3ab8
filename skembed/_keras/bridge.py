"""SciKeras: parameters -> optimizer and callbacks; the only importer of scikeras.

SciKeras 0.13 is no longer maintained, so its wrapper is held, never inherited from:
it turns names, classes and instances into Keras objects as its users know it.
"""

from functools import cache

import keras
import numpy as np
from scikeras.wrappers import BaseWrapper

from .optimizers import Rule

# What each rule reads from the optimizer's own config; the rest must be its default.
_CONSTANTS = {
    "adam": ("beta_1", "beta_2", "epsilon"),
    "rmsprop": ("rho", "momentum", "epsilon", "centered"),
    "adagrad": ("epsilon", "initial_accumulator_value"),
    "sgd": ("momentum", "nesterov"),
}
_SUPPORTED = "'adam', 'rmsprop', 'adagrad' and 'sgd'"


def optimizer(value):
    """Update rule of an optimizer, and its learning rate.

    Parameters
    ----------
    value : str, keras.optimizers.Optimizer, or class of one

    Returns
    -------
    rule : Rule
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule

    Raises
    ------
    ValueError
        If the sparse updates of the tables do not support the optimizer, or a setting
        of it.
    """
    try:
        made = _wrapper(optimizer=value)._get_compile_kwargs()["optimizer"]
        made = keras.optimizers.get(made) if isinstance(made, str) else made
        made = made() if isinstance(made, type) else made
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"optimizer={value!r} is not an optimizer of Keras; use one of "
            f"{_SUPPORTED}, or a Keras optimizer of that kind."
        ) from error
    name = type(made).__name__.lower()
    if name not in _CONSTANTS or not isinstance(made, keras.optimizers.Optimizer):
        raise ValueError(
            f"optimizer={value!r} is not supported: tables are updated row by row, "
            f"which is defined for {_SUPPORTED}."
        )
    config, default = made.get_config(), _defaults(type(made))
    used = _CONSTANTS[name]
    for key, setting in config.items():
        if key not in (*used, "name", "learning_rate") and setting != default[key]:
            raise ValueError(
                f"optimizer={value!r} sets {key}={setting!r}, which row by row updates "
                f"do not support; leave it at {default[key]!r}."
            )
    rule = Rule(name, tuple((key, config[key]) for key in used))
    return rule, learning_rate(made)


@cache
def _defaults(kind):
    return kind().get_config()


@cache
def _optimizer_of_kind(value):
    return optimizer(value)


def rule_and_rate(value, wanted):
    """Update rule and learning rate of the parameters `optimizer` and `learning_rate`.

    Returns
    -------
    rule : Rule
    learning_rate : float, or function of the step's number
    is_default : bool
        Whether neither of the two parameters names a rate.
    """
    # Keras never frees the optimizers it makes: one per name or class is enough.
    of_kind = _optimizer_of_kind if isinstance(value, str | type) else optimizer
    rule, rate = of_kind(value)
    if isinstance(wanted, str):
        return rule, rate, isinstance(value, str)
    if isinstance(wanted, int | float) or not callable(wanted):
        return rule, float(wanted), False
    return rule, schedule(wanted), False


def learning_rate(made):
    """Learning rate of a Keras optimizer: a float, or a function of the step."""
    rate = made._learning_rate
    if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
        return schedule(rate)
    return float(np.asarray(rate))


def schedule(value):
    """A Keras learning rate schedule as a function of the step's number."""
    return lambda step: float(np.asarray(value(step)))


def callbacks(value):
    """Keras callbacks as a list, from whatever SciKeras takes for them."""
    wrapper = _wrapper(callbacks=value)
    wrapper._initialize_callbacks()
    return list(wrapper._fit_callbacks)


def _wrapper(**params):
    return BaseWrapper(model=keras.Model, **params)

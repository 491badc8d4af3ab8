"""The network before training, from an estimator's parameters and the first rows."""

import warnings
from numbers import Integral

import numpy as np

from .. import _settings as settings
from .._model.activations import activation_function
from .._model.fitted import Fitted
from .._model.network import Architecture, Knots, initial_weights, unread_inputs
from .problem import problem_of
from .rows import centre_and_scale, merged_rows, standardised


def untrained(estimator, tables, encoder, observations, likelihood, make_head, rng):
    """The untrained network, and the problem that it is trained on.

    Parameters
    ----------
    estimator : BaseEmbedding
        Its parameters are read.
    tables : type
        Kind of the tables.
    encoder : FeatureEncoder
    observations : Observations
    likelihood : Likelihood
    make_head : callable or None
        Takes what a head has to know, a dict; returns a user's own head.
    rng : numpy.random.Generator

    Returns
    -------
    fitted : Fitted
    problem : Problem
    """
    likelihood.check(observations.outcome)
    check_vector_lengths(estimator.embedding_dim, encoder)
    if encoder.direct_blocks and not tables.has_direct_terms:
        raise ValueError(
            "varying_slopes, varying_curves and crosses are effects under a prior of "
            "their own; with prior=None there is none. Use prior='normal'."
        )
    sizes, n_outputs = encoder.column_sizes, observations.outcome.shape[1]
    n_numbers, knots = observations.numbers.shape[1], Knots(*encoder.knots)
    offsets = np.cumsum([0, *sizes])[:-1]
    rows, origin = merged_rows(observations, offsets, likelihood)
    centre, scale = centre_and_scale(rows, origin, likelihood, tables)
    rows = standardised(rows, origin, likelihood, centre, scale)
    if not tables.has_likelihood and likelihood.location_scale:
        _warn_of_scale(observations.outcome)

    n_direct = n_outputs if tables.has_direct_terms else 0
    sizes_of_columns = encoder.sizes_of_columns
    dims = vector_lengths(estimator.embedding_dim, sizes_of_columns, n_direct)
    n_fields = encoder.n_fields
    shape = _architecture(estimator, tables, dims, n_outputs)
    if make_head is not None:
        n_inputs = shape.n_inputs(n_fields, n_numbers, len(knots.low))
        meta = {
            "n_inputs": n_inputs,
            "n_outputs": n_outputs,
            "embedding_dims": [shape.width] * n_fields,
            "n_features_in": len(encoder.is_categorical),
        }
        shape = shape._replace(head=make_head(meta))
    shapes = shape.weight_shapes(n_fields, n_numbers, len(knots.low), len(sizes))
    intercept = 0.0
    if tables.has_likelihood:
        intercept = likelihood.intercept(rows.targets, rows.weights)
    weights = initial_weights(
        shape,
        int(sum(sizes)),
        shapes,
        rng,
        intercept=intercept,
        n_token_blocks=encoder.n_token_blocks,
        unread=unread_inputs(shape, encoder),
    )
    mask = encoder.mask(dims, shape.width, shape.n_first)
    fitted = Fitted(
        encoder, shape, weights, mask, likelihood, centre, scale, rows.total
    )
    return fitted, problem_of(fitted, rows)


def _warn_of_scale(y):
    """Warn where a bare network could not learn outcomes as large or small as these."""
    size = np.sqrt(np.square(y / np.abs(y).max(initial=1e-300)).mean())
    size *= np.abs(y).max(initial=0.0)
    if y.any() and not settings.PLAIN_LEAST < size < settings.PLAIN_MOST:
        warnings.warn(
            "With prior=None the network is the bare one and y is not scaled; its "
            f"root mean square is {size:.3g}, which takes very long to learn. Wrap "
            "the regressor in TransformedTargetRegressor(regressor, "
            "transformer=StandardScaler()), or use prior='normal', which scales y.",
            UserWarning,
            stacklevel=2,
        )


def _architecture(estimator, tables, dims, n_outputs):
    """Shape of the network."""
    hidden = _hidden(estimator.hidden_layer_sizes)
    return Architecture(
        tables=tables,
        width=int(max(dims, default=1)),
        hidden=hidden,
        activations=_activations(estimator.activation, hidden),
        n_outputs=n_outputs,
    )


def _hidden(wanted):
    """Units of each hidden layer."""
    if isinstance(wanted, str):
        return settings.HIDDEN_LAYER_SIZES
    hidden = [wanted] if np.ndim(wanted) == 0 else list(wanted)
    if not all(
        isinstance(units, Integral) and not isinstance(units, bool) and units >= 1
        for units in hidden
    ):
        raise ValueError(
            "hidden_layer_sizes must be 'auto', a positive integer, or a flat list of "
            f"positive integers, one per hidden layer; got {wanted!r}."
        )
    return tuple(int(units) for units in hidden)


def _activations(wanted, hidden):
    """Activation of each hidden layer."""
    if not isinstance(wanted, list | tuple):
        wanted = (wanted,) * len(hidden)
    if len(wanted) != len(hidden):
        raise ValueError(
            f"activation has {len(wanted)} entries for the {len(hidden)} layers of "
            f"hidden_layer_sizes={hidden}; give one activation, or one per layer."
        )
    for one in wanted:
        _check_activation(one)
    return tuple(wanted)


def _check_activation(one):
    """Raise if this is no activation."""
    probe = np.linspace(-1.0, 1.0, 6, dtype=np.float32).reshape(3, 2)
    try:
        found = activation_function(one)(probe)
    except Exception as error:
        raise ValueError(
            f"activation={one!r} cannot be applied to a layer's output: {error}"
        ) from error
    if np.shape(found) != probe.shape or not np.isfinite(found).all():
        raise ValueError(
            f"activation={one!r} must give one finite number for each number of a "
            f"layer's output; for numbers from -1 to 1 of shape {probe.shape} it gave "
            f"{np.asarray(found)!r}."
        )


def vector_lengths(wanted, sizes, n_direct):
    """Length of the vectors of each column, from `embedding_dim`.

    With "auto" each of `n_direct` outputs has a coordinate that reaches it directly. In
    fewer, many classes are not told apart by what each token says of them.
    """
    n_columns = len(sizes)
    if isinstance(wanted, str):
        largest = max((max(size - 1, 1) for size in sizes), default=1)
        dim = round(settings.DIMS_PER_DECADE * np.log10(max(largest, 2)))
        dim = int(np.clip(dim, settings.MIN_DIM, settings.MAX_DIM))
        return [max(dim, min(n_direct, settings.MAX_DIRECT))] * n_columns
    if np.ndim(wanted) == 0:
        return [int(wanted)] * n_columns
    dims = [int(dim) for dim in wanted]
    return dims + [max(dims, default=1)] * (n_columns - len(dims))


def check_vector_lengths(wanted, encoder):
    """Raise if `embedding_dim` is a list that does not fit the categorical columns."""
    if isinstance(wanted, str) or np.ndim(wanted) == 0:
        return
    dims, n_categorical = np.asarray(wanted), len(encoder.tokens)
    fits = dims.shape == (n_categorical,) and dims.dtype.kind in "iu"
    if not fits or (dims < 1).any():
        raise ValueError(
            "embedding_dim as a list needs one positive integer per categorical "
            f"column, {n_categorical} here; got {wanted!r}."
        )
    for group in encoder.shared:
        own = dims[list(group.columns)]
        if len(set(own.tolist())) > 1:
            raise ValueError(
                "embedding_dim gives columns of one group of shared_features the "
                f"lengths {own.tolist()}; their vectors are of one length."
            )

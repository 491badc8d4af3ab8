"""Positions, sizes and colours of the tokens on a map."""

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.decomposition import PCA

from skembed._data.cells import text
from skembed._data.wording import label, shown
from skembed._plot import _fitted
from skembed._space.checks import check_numbers


def effects(estimator, table, effects):
    """Return the numbers that colour the tokens, and their name."""
    categories = table.tokens
    if effects is None:
        return None, "effect"
    if isinstance(effects, dict):
        find = _fitted.finder(effects)
        values = [find(token, np.nan) for token in categories]
        return check_numbers("The effects", values), "effect"
    if not isinstance(effects, str):
        effects = check_numbers("effects", effects)
        if effects.shape != (len(categories),):
            raise ValueError(
                f"effects must be one number for each of the {len(categories)} tokens "
                f"in categories_, got an array of shape {effects.shape}."
            )
        return effects, "effect"
    if effects != "auto":
        raise ValueError(
            f"effects must be 'auto', a dict, an array or None, got {shown(effects)}."
        )
    if estimator.n_features_in_ == 1:
        outputs = _fitted.predict_tokens(estimator, categories)
        if not is_classifier(estimator) and outputs.ndim == 1:
            return outputs, "predicted outcome"
        if is_classifier(estimator) and outputs.shape[1] == 2:
            name = label(text(estimator.classes_[1])).replace("$", r"\$")
            return outputs[:, 1], f"probability of {name}"
        return None, "effect"
    if getattr(estimator, "prior", None) is None:
        return None, "effect"
    first_order = table.vectors[:, 0]
    return first_order, "first-order effect (sd of the outcome)"


def reduce(vectors, reducer):
    """Return 2-d coordinates, the linear map to them if it is one, and axis names."""
    if vectors.shape[1] == 1:
        flat = np.column_stack([vectors[:, 0], np.zeros(len(vectors))])
        return flat, np.array([[1.0], [0.0]]), ("the vectors' one coordinate", "")
    reducer = PCA(n_components=2) if reducer is None else clone(reducer)
    coordinates = np.asarray(reducer.fit_transform(vectors), dtype=np.float64)
    if coordinates.shape != (len(vectors), 2):
        raise ValueError(
            "reducer must return two columns (most have n_components=2 for that), got "
            f"an array of shape {coordinates.shape}."
        )
    centered = vectors - vectors.mean(axis=0)
    components = _linear_map(reducer, centered, coordinates)
    if not isinstance(reducer, PCA):
        name = type(reducer).__name__
        return coordinates, components, (f"{name} 1", f"{name} 2")
    kept = (centered @ reducer.components_.T).var(axis=0)
    shares = 100 * kept / max(centered.var(axis=0).sum(), 1e-300)
    names = [f"PC {i + 1} ({s:.0f} % of the variance)" for i, s in enumerate(shares)]
    return coordinates, components, tuple(names)


def _linear_map(reducer, centered, coordinates):
    """Return the reducer as a matrix (2, dim), or None if it is not linear."""
    components = getattr(reducer, "components_", None)
    if np.shape(components) != (2, centered.shape[1]):
        return None
    projected = centered @ components.T
    spread, wanted = projected.std(axis=0), coordinates.std(axis=0)
    # Whitening stretches the axes, except those without variance.
    flat = spread <= 1e-8 * max(spread.max(), 1e-300)
    scale = np.divide(wanted, spread, out=np.ones(2), where=~flat)
    # Factor models have components, too, but do not project onto them.
    off = np.abs(projected * scale - (coordinates - coordinates.mean(axis=0))).max()
    return components * scale[:, None] if off <= 1e-6 * wanted.max() else None


def areas(counts, n_tokens):
    """Return marker areas (points squared) that grow with the counts."""
    largest = float(np.interp(n_tokens, [20, 100, 2000], [220.0, 120.0, 40.0]))
    if counts is None:
        return np.full(n_tokens, largest / 4)
    return 8 + (largest - 8) * counts / max(counts.max(), 1e-300)


def figure_size(coordinates):
    """Return a size (inches) that leaves little empty space around the map."""
    span = np.maximum(np.ptp(coordinates, axis=0), 1e-9)
    return 7.2, float(np.clip(5.5 * span[1] / span[0] + 1.4, 3.6, 6.6))


def set_limits(ax, coordinates, covariances, radius):
    """Make room for points, labels and ellipses of a moderate size."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    if covariances is not None:
        reach = radius * np.sqrt(np.diagonal(covariances, axis1=1, axis2=2))
        # The ellipse of a rare token may cover the whole map: do not zoom out for it.
        low = np.maximum((coordinates - reach).min(axis=0), low - 0.3 * span)
        high = np.minimum((coordinates + reach).max(axis=0), high + 0.3 * span)
    ax.update_datalim([low, high])
    ax.margins(x=0.09, y=0.1)
    ax.autoscale_view()

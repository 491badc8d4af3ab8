"""Drawing functions that all Displays share: axes, colours, keywords, notes."""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from skembed._data.wording import shown

# The palette of Okabe and Ito, which colour-blind readers can distinguish.
PALETTE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#000000",
    "#F0E442",
)
GREY = "0.4"


def new_axes(ax, figsize=None):
    """Return `ax`, or new axes in a figure that makes room for its labels."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Plots need matplotlib; install it with 'pip install matplotlib'."
        ) from error

    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not isinstance(ax, plt.Axes):
        raise TypeError(
            "ax must be Matplotlib Axes, such as the second of plt.subplots(), or None "
            f"for a new figure, got {shown(ax)}, a {type(ax).__name__}."
        )
    return ax


def tidy(ax, grid="both"):
    """Remove the upper and right spine, and put a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid is not None:
        ax.grid(True, axis=grid, color="0.92", linewidth=0.7)


def note(ax, text):
    """Write a small note right above the axes."""
    return ax.annotate(
        text,
        xy=(1, 1),
        xycoords="axes fraction",
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize="small",
        color=GREY,
    )


def style(kwargs, artist, **defaults):
    """Merge a user's keywords, under any of their aliases, into the defaults."""
    if not isinstance(kwargs, dict | None):
        raise TypeError(
            f"Keywords for {artist.__name__} must be a dict or None, got "
            f"{shown(kwargs)}, a {type(kwargs).__name__}."
        )
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(kwargs or {}, artist)}


def room_for(labels):
    """Return the inches that names take beyond the ten characters of a short one."""
    return float(np.clip(0.07 * (max(map(len, labels)) - 10), 0, 3))


def legend(ax, handles, labels, *, title=None, **kwargs):
    """Draw a legend with entries as they are written, whatever they begin with.

    Matplotlib leaves out entries that begin with an underscore, and sets what stands
    between dollars as mathematics.
    """
    drawn = ax.legend(handles, ["-"] * len(handles), title=title, **kwargs)
    for entry, label in zip(drawn.get_texts(), labels, strict=True):
        entry.set(text=label, parse_math=False)
    drawn.get_title().set_parse_math(False)
    return drawn


def in_units(number):
    """Format a number with three digits, if possible without an exponent."""
    if number == 0 or 1e-3 <= abs(number) < 1e5:
        digits = 0 if number == 0 else max(0, 2 - int(np.floor(np.log10(abs(number)))))
        text = f"{number:,.{digits}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{number:.2e}"


def draw_rows(n_samples, subsample, random_state):
    """Return the sorted rows to show, or None for all of them.

    `subsample` is a number of rows (int), a fraction of them (float) or None.
    """
    if subsample is None:
        return None
    if isinstance(subsample, numbers.Integral) and not isinstance(subsample, bool):
        if subsample < 1:
            raise ValueError(
                f"subsample={subsample} must be at least 1 when it is an integer."
            )
    elif isinstance(subsample, float | np.floating) and 0 < subsample < 1:
        subsample = max(1, int(n_samples * subsample))
    else:
        raise ValueError(
            "subsample must be a number of samples (int), a fraction strictly "
            f"between 0 and 1 (float) or None, got {shown(subsample)}."
        )
    if subsample >= n_samples:
        return None
    rows = check_random_state(random_state).permutation(n_samples)[:subsample]
    return np.sort(rows)


def sequential_colors(n, cmap="viridis"):
    """Return `n` colours from dark to bright, without the brightest ones."""
    from matplotlib import colormaps

    return colormaps[cmap](np.linspace(0, 0.9, n))

"""Labels of points, placed so that they overlap neither labels nor points."""

import numpy as np

# Places for a label, in the order tried: the direction from the point, and the part of
# the label's box that is anchored there (0 its left or lower end, 1 its right or
# upper).
_PLACES = np.array(
    [
        # dx, dy, hold_x, hold_y
        (1.0, 0.0, 0.0, 0.5),
        (-1.0, 0.0, 1.0, 0.5),
        (0.0, 1.0, 0.5, 0.0),
        (0.0, -1.0, 0.5, 1.0),
        (0.7, 0.7, 0.0, 0.0),
        (-0.7, 0.7, 1.0, 0.0),
        (0.7, -0.7, 0.0, 1.0),
        (-0.7, -0.7, 1.0, 1.0),
    ]
)
# Distances from the point, in typographic points; all but the first draw a line to it.
_RINGS = (0.0, 7.0, 16.0)
_ALIGN_X = {0.0: "left", 0.5: "center", 1.0: "right"}
_ALIGN_Y = {0.0: "bottom", 0.5: "center", 1.0: "top"}


def place_labels(
    ax, points, texts, priority, radii, *, which=None, avoid=None, gap=2.0, kwargs=None
):
    """Write as many labels as fit, the most important first.

    The method is greedy. In the order of `priority`, a label takes the first of eight
    places around its point that lies within the axes and touches no point and no other
    label. If there is none, it takes one of the places farther out, joined to its point
    by a thin line. A label without such a place is left out.

    Parameters
    ----------
    ax : matplotlib Axes
        Axes whose limits are final.
    points : ndarray of shape (n, 2)
        Points to label, in data coordinates.
    texts : list of str
        Their labels.
    priority : ndarray of shape (n,)
        Labels are placed in descending order of it.
    radii : ndarray of shape (n,)
        Radius of each point's marker, in typographic points.
    which : ndarray of int, default=None
        The points to label; the others are only kept clear. None labels all.
    avoid : matplotlib Artist, default=None
        Another artist to keep clear, such as a legend.
    gap : float, default=2.0
        Space between a marker and its label, in typographic points.
    kwargs : dict, default=None
        Keywords for ``Axes.annotate``.

    Returns
    -------
    labels : list of matplotlib Annotation
        The labels for which there was room.
    """
    figure = ax.figure
    # Layout engines and the equal aspect determine the axes' position when drawing.
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    pixels = ax.transData.transform(points)
    radii = np.asarray(radii) * scale
    markers = np.column_stack([pixels - radii[:, None], pixels + radii[:, None]])
    inside = ax.get_window_extent()
    taken = np.empty((0, 4))
    if avoid is not None:
        taken = avoid.get_window_extent().extents[None]
    which = np.arange(len(points)) if which is None else np.asarray(which)
    labels = []
    ruler = ax.annotate("", (0, 0), **(kwargs or {}))
    for i in which[np.argsort(-np.asarray(priority)[which], kind="stable")]:
        ruler.set_text(texts[i])
        extent = ruler.get_window_extent()
        size = np.array([extent.width, extent.height])
        # Only what is near the point can overlap.
        reach = size + radii[i] + (gap + _RINGS[-1]) * scale
        window = np.concatenate([pixels[i] - reach, pixels[i] + reach])[None]
        near = _touch(window, markers)[0]
        near[i] = False
        blocked = np.vstack([taken, markers[near]])
        for ring in _RINGS:
            shift = _PLACES[:, :2] * (radii[i] + (gap + ring) * scale)
            corner = pixels[i] + shift - _PLACES[:, 2:] * size
            boxes = np.column_stack([corner, corner + size])
            free = (boxes[:, 0] >= inside.x0) & (boxes[:, 2] <= inside.x1)
            free &= (boxes[:, 1] >= inside.y0) & (boxes[:, 3] <= inside.y1)
            free &= ~_touch(boxes, blocked).any(axis=1)
            leaders = _leaders(pixels[i], shift) if ring else np.empty((8, 0, 4))
            crossed = _touch(leaders.reshape(-1, 4), blocked).any(axis=1)
            free &= ~crossed.reshape(8, -1).any(axis=1)
            if free.any():
                break
        else:
            continue
        place = int(np.argmax(free))
        taken = np.vstack([taken, boxes[place], leaders[place]])
        leader = {"arrowstyle": "-", "color": "0.4", "linewidth": 0.5}
        leader.update(shrinkA=0, shrinkB=radii[i] / scale)
        labels.append(
            ax.annotate(
                texts[i],
                xy=points[i],
                xytext=shift[place] / scale,
                textcoords="offset points",
                ha=_ALIGN_X[_PLACES[place, 2]],
                va=_ALIGN_Y[_PLACES[place, 3]],
                arrowprops=leader if ring else None,
                **(kwargs or {}),
            )
        )
    ruler.remove()
    return labels


def _leaders(start, shifts):
    """Return small boxes (n_places, 6, 4) along the lines from a point to labels."""
    along = start + shifts[:, None] * np.linspace(0.3, 1, 6)[:, None]
    return np.concatenate([along - 0.5, along + 0.5], axis=-1)


def _touch(boxes, others):
    """Return which boxes (x0, y0, x1, y1) overlap which others."""
    left, low, right, high = boxes.T[:, :, None]
    x0, y0, x1, y1 = others.T
    return (left < x1) & (x0 < right) & (low < y1) & (y0 < high)

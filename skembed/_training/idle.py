"""Idle numbers: those of a wide table that the layers do not read in detail.

A number is read three times over: as it is, by the pieces of its linear encoding, and
by vectors of its bins. With more than a hundred of them nearly all of a step would be
spent on numbers that say nothing. Once the additive part is there, it is known which
ones have an effect. Of the others layers read the number as it is. Their bins keep the
first-order effects that they have by then: an offset of each row from there on.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from .. import _settings as settings
from .._data.blend import Blend, Slots
from .._data.rows import Rows
from .._model.network import Knots, readout
from .._model.prior import Curves
from .parts import Whole


@dataclass(frozen=True, eq=False)
class WithoutIdle:
    """The part of a network without its idle numbers.

    Attributes
    ----------
    blocks : ndarray of bool of shape (n_blocks,)
        Which blocks of the table are the bins of idle numbers.
    pieces : ndarray of bool of shape (n_pieces,)
        Which pieces of the linear encoding are of idle numbers.
    first : ndarray of float32 of shape (n_table_rows, n_first)
        First coordinates of the vectors.
    """

    blocks: np.ndarray
    pieces: np.ndarray
    first: np.ndarray
    layers_follow: ClassVar[bool] = False

    def problem(self, problem):
        """What is trained, of the part."""
        kept, start = self._kept_rows(problem), problem.curves.start
        inputs = self._kept_inputs(problem)
        unread = np.isin(np.arange(len(inputs)), problem.unread)
        return replace(
            problem,
            rows=self._without_idle(problem),
            counts=problem.counts[kept],
            sizes=np.asarray(problem.sizes)[~self.blocks].tolist(),
            mask=problem.mask[~self.blocks],
            knots=Knots(*(part[~self.pieces] for part in problem.knots)),
            curves=Curves(start, problem.curves.basis[kept[start:]]),
            unread=np.flatnonzero(unread[inputs]),
            priors=problem.priors and problem.priors.rows(kept),
            moves=None if problem.moves is None else problem.moves[kept],
        )

    def weights(self, problem, weights):
        """The weights of the part."""
        dense = dict(weights.dense)
        dense["kernel_0"] = dense["kernel_0"][self._kept_inputs(problem)]
        dense["prior"] = dense["prior"][~self.blocks]
        table = weights.table.rows(self._kept_rows(problem))
        return replace(weights, table=table, dense=dense)

    def put_back(self, problem, weights, trained):
        """The weights of the network, with those of the part in their place."""
        dense, whole = dict(trained.dense), weights.dense
        places = {"kernel_0": self._kept_inputs(problem), "prior": ~self.blocks}
        for name, kept in places.items():
            value = whole[name].copy()
            value[kept] = trained.dense[name]
            dense[name] = value
        table = weights.table.replaced(self._kept_rows(problem), trained.table)
        return replace(trained, table=table, dense=dense)

    def _kept_rows(self, problem):
        """Which rows of the table are in the part."""
        return np.repeat(~self.blocks, problem.sizes)

    def _kept_inputs(self, problem):
        """Which inputs of the layers are in the part."""
        width, n_numbers = problem.architecture.width, problem.rows.numbers.shape[1]
        fields, blocks = _slots(problem, len(self.blocks))
        read = np.ones(fields.max(initial=-1) + 1, bool)
        read[fields[self.blocks[blocks]]] = False
        numbers = np.ones(n_numbers, bool)
        return np.concatenate([np.repeat(read, width), numbers, ~self.pieces])

    def _without_idle(self, problem):
        """The rows without codes of idle numbers, and with an offset in their place."""
        rows, blend = problem.rows, problem.rows.blend
        _, blocks = _slots(problem, len(self.blocks))
        idle, sizes = self.blocks[blocks], problem.sizes * self.blocks
        offset = self.first[rows.codes[:, idle]].sum(axis=1)
        before = np.cumsum(sizes) - sizes  # of what is left out, rows of the table
        codes = rows.codes[:, ~idle] - before[blocks[~idle]]
        if blend is not None:
            slots = Slots(*(part[~idle] for part in blend.slots))
            slots = slots._replace(
                field=np.unique(slots.field, return_inverse=True)[1],
                block=(np.cumsum(~self.blocks) - 1)[slots.block],
            )
            blend = Blend(blend.factors[:, ~idle], slots)
        codes = codes.astype(np.int32)
        return rows._replace(codes=codes, blend=blend, offset=offset)


def narrowed(fitted, problem):
    """The network with fewer numbers that its layers read in detail.

    Those whose first-order effects vary least become idle.

    Parameters
    ----------
    fitted : Fitted
        Its layers are still to be learned.
    problem : Problem
        With the rows in memory.
    """
    binned = fitted.encoder.binned
    if len(binned) <= settings.MOST_READ or not _may_be_idle(fitted, problem):
        return fitted
    order = np.argsort(-_effects(fitted, problem), kind="stable")
    kernel = fitted.weights.dense["kernel_0"].copy()
    inputs = _inputs_of(fitted)
    for i in order[settings.MOST_READ :]:
        kernel[inputs[i]] = 0.0
    dense = fitted.weights.dense | {"kernel_0": kernel}
    return fitted.with_weights(replace(fitted.weights, dense=dense))


def part_read(fitted, problem):
    """The part of a network that is trained with its layers: all but idle numbers.

    A number is idle if its bins and pieces have no weight in the first layer.
    """
    binned = fitted.encoder.binned
    if len(binned) <= settings.MOST_READ or not _may_be_idle(fitted, problem):
        return Whole()
    kernel = fitted.weights.dense["kernel_0"]
    idle = [not kernel[own].any() for own in _inputs_of(fitted)]
    if not any(idle):
        return Whole()
    blocks = np.zeros(len(problem.sizes), bool)
    blocks[fitted.encoder.n_token_blocks :] = idle
    columns = np.array([own[0] for own in _columns(fitted)])[idle]
    pieces = np.isin(problem.knots.column, columns)
    first = fitted.weights.table.mean[:, : problem.architecture.n_first]
    return WithoutIdle(blocks, pieces, first)


def _may_be_idle(fitted, problem):
    """Whether there are layers that could leave numbers out, and rows to judge by."""
    shape, in_memory = fitted.architecture, isinstance(problem.rows, Rows)
    layers = shape.head is None and shape.has_direct_terms and bool(shape.hidden)
    return layers and in_memory


def _effects(fitted, problem):
    """Variance of the first-order effects of each number with bins, over the rows."""
    dense, rows = fitted.weights.dense, problem.rows
    first = fitted.weights.table.mean[:, : fitted.architecture.n_first]
    first = first @ readout(fitted.architecture, dense)
    starts = np.cumsum([0, *problem.sizes])[fitted.encoder.n_token_blocks :]
    found = []
    for start, stop, own in zip(starts[:-1], starts[1:], _columns(fitted), strict=True):
        linear = rows.numbers[:, own] @ dense["linear"][own]
        of_bins = _variance(first[start:stop], problem.counts[start:stop])
        found.append(of_bins + _variance(linear, rows.weights))
    return np.array(found)


def _variance(values, weights):
    """Variance of (n, n_outputs) values, summed over the outputs."""
    share = weights / weights.sum()
    return (share @ np.square(values - share @ values)).sum()


def _columns(fitted):
    """Columns in the numbers, of each number with bins."""
    places = fitted.encoder.number_places
    return [places[j] for j, _ in fitted.encoder.binned]


def _inputs_of(fitted):
    """Inputs of the layers that are bins and pieces, of each number with bins."""
    encoder, width = fitted.encoder, fitted.architecture.width
    column, found = encoder.knots[0], []
    before = encoder.n_fields * width + len(fitted.weights.dense["linear"])
    for field, own in enumerate(_columns(fitted), len(encoder.fields)):
        bins = field * width + np.arange(width)
        pieces = before + np.flatnonzero(column == own[0])
        found.append(np.concatenate([bins, pieces]))
    return found


def _slots(problem, n_blocks):
    """Field and block of every slot of the rows."""
    if problem.rows.blend is None:
        return np.arange(n_blocks), np.arange(n_blocks)
    slots = problem.rows.blend.slots
    return slots.field, slots.block

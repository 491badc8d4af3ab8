"""How the two kinds of table are trained: the part of a step that differs.

One table holds the tokens of all columns. A row carries all that belongs to a token
side by side, so a step is one gather and one scatter of the rows that its batch
touches, whatever the size of the vocabulary:

- `PointTable`: [vector | the optimizer's slots for it]
- `PosteriorTable`: [shift | information | probe], and with priors of their own
  [shift | information | prior mean | prior precision]

A posterior is kept as what the rows of data add to the prior (a "site": Khan and Lin
2017, "Conjugate-Computation Variational Inference", section 3): `information` to its
precision, and `shift` to precision times mean. So when a prior moves, every token that
it is the prior of moves with it at once, whether its rows are in the batch or not. Of
the probe, see `priors`.

Both have the same methods: `packed` and `unpacked` lay a table out and read it back, in
NumPy; `read`, `draw`, `probe`, `slopes` and `step` are the parts of a traced step.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from .._model import tables
from . import dense, losses, optimizers, priors, response


class Forward(NamedTuple):
    """A pass of a batch through the network, and what its slopes are taken of."""

    tape: tf.GradientTape
    flat: tf.Tensor  # (batch * n_slots, width) vectors of the uses
    theta: tf.Tensor  # dense weights
    passed: dense.Passed
    data_part: tf.Tensor  # the loss
    probe: tuple | None  # as the kind of table gives it


class Slopes(NamedTuple):
    """What the rows of a batch say: sums, which add up over the parts of a batch."""

    theta: tf.Tensor  # gradient of the dense weights, per observation
    rows: tuple  # of the touched rows, (n, ...) each: what `step` moves them by
    response: tf.Tensor  # `response.sums`, or what was known before


class PointTable:
    """Points, moved by the optimizer's rule."""

    def __init__(self, spec):
        self.width = spec.architecture.width
        self.rule = spec.rule

    def packed(self, table, prior):
        """Contents of the variable: vectors and the optimizer's slots."""
        n, width = table.mean.shape
        columns = width * (1 + self.rule.n_slots)
        out = np.full((n, columns), self.rule.slot_start, np.float32)
        out[:, :width] = table.mean
        return out

    def unpacked(self, packed, prior):
        """The table that the variable holds."""
        return tables.PointTable(packed[:, : self.width].copy())

    def read(self, uses, theta, data):
        """The points of the touched rows."""
        return uses.packed[:, : self.width] * uses.rows.mask

    def draw(self, points, uses, data, plan, s):
        """A vector for every use of a token: the point itself."""
        return tf.gather(points, uses.use)

    def probe(self, f, log_noise, data, plan, s):
        """Nothing beside the loss has to be differentiated."""
        return None

    def slopes(self, forward, uses, points, weights, plan, known):
        """Gradients of the loss."""
        by_flat, by_theta = _by_both(forward)
        per = plan.per_observation
        slope = uses.added_up(by_flat) * per * uses.rows.mask
        slope.set_shape([None, self.width])
        return Slopes(by_theta * per, (slope,), known)

    def pull(self, theta, data):
        """Nothing keeps the dense weights near their start."""
        return 0.0

    def pace(self, sums, uses, points, data, plan, s):
        """The rate is that of the dense weights."""
        return None

    def taken(self, pace, sums, uses, points, weights):
        """Nothing has to be known of what the steps of a row's vectors take."""
        return tf.zeros([0])

    def step(self, table, theta, sums, pace, taken, uses, points, data, plan, s, rate):
        """The optimizer's update of the touched rows and of their slots.

        Returns the dense weights, unchanged here, and 0 as the divergence from a prior.
        """
        (slope,) = sums
        width, rule = self.width, self.rule
        slots = [
            uses.packed[:, width * (i + 1) : width * (i + 2)]
            for i in range(rule.n_slots)
        ]
        change, slots = optimizers.change(rule, slope, slots, rate)
        vector = uses.packed[:, :width] - change * uses.rows.moves
        uses.rows.write(table, [vector, *slots])
        return theta, 0.0


class Posterior(NamedTuple):
    """Posterior of the touched rows, (n, width), and the prior that it is under."""

    mean: tf.Tensor
    precision: tf.Tensor
    prior: priors.Prior


class Pace(NamedTuple):
    """How far the touched rows move in a step."""

    share: tf.Tensor  # (n, 1) of the token's data, in this batch
    times: tf.Tensor  # (n, 1) all of its data / this batch's
    rho: tf.Tensor  # (n, width) share of the way to where the batch would have it
    information: tf.Tensor  # (n, width) after the step


class PosteriorTable:
    """Normal distributions, moved by natural-gradient steps of their own."""

    def __init__(self, spec):
        self.architecture = spec.architecture
        self.width = spec.architecture.width
        self.n_first = spec.architecture.n_first
        self.n_outputs = spec.architecture.n_outputs
        self.has_own_head = spec.architecture.head is not None
        self.own_priors = spec.own_priors
        self.priors = priors.Priors(spec.architecture, spec.loss in losses.ALIKE)
        self.loss = spec.loss
        self.constants = dict(spec.loss_constants)

    def packed(self, table, prior):
        """Contents of the variable: sites, and priors of their own or a probe."""
        n, width = table.mean.shape
        rest = 2 * width if self.own_priors else self.n_first
        out = np.zeros((n, 2 * width + rest), np.float32)
        for at in _pieces(n):
            mean, precision = table.mean[at], table.precision[at]
            own, part = prior.rows(at), out[at[0] : at[-1] + 1]
            # Beside a narrow prior there are no digits: never less than none.
            information = np.maximum(precision - own.precision, 0.0)
            part[:, width : 2 * width] = information
            if self.own_priors:
                # They stay: what is left of narrow ones keeps its digits.
                part[:, :width] = precision * (mean - own.mean)
                part[:, 2 * width :] = np.concatenate([own.mean, own.precision], 1)
            else:
                part[:, :width] = precision * mean - own.precision * own.mean
        return out

    def unpacked(self, packed, prior):
        """The table that the variable holds."""
        n, width = len(packed), self.width
        mean, precision = (np.empty((n, width), np.float32) for _ in range(2))
        for at in _pieces(n):
            own, site = prior.rows(at), np.split(packed[at, : 2 * width], 2, axis=1)
            found = self._posterior(*site, own.mean, own.precision)
            mean[at], precision[at] = found
        return tables.PosteriorTable(mean, precision)

    def balanced(self, packed, prior, nestings):
        """What the variable holds, with rows that are summed brought to balance.

        Their first coordinates are (see `nested`), under learned priors.
        """
        n, rows = self.n_first, prior.all_rows
        table = self.unpacked(packed, prior)
        mean, precision = table.mean[:, :n].astype(np.float64), table.precision[:, :n]
        for nesting in nestings:
            nesting.balanced(mean, precision, rows)
        packed[:, :n] = precision * mean - rows.precision[:, :n] * rows.mean[:, :n]
        return packed

    def _posterior(self, shift, information, prior_mean, prior_precision):
        """Mean and precision of the posterior that a site stands for."""
        precision = prior_precision + information
        if self.own_priors:
            return prior_mean + shift / precision, precision
        return (prior_precision * prior_mean + shift) / precision, precision

    def read(self, uses, theta, data):
        """Posterior of the touched rows, under the priors as they are now."""
        if self.own_priors:
            prior = priors.Prior(*tf.split(self._parts(uses)[2], 2, 1), 1.0)
        else:
            prior = self.priors.of_rows(theta, uses, data)
        found = self._posterior(*self._site(uses), prior.mean, prior.precision)
        return Posterior(*found, prior)

    def _site(self, uses):
        """Shift and information of the touched rows."""
        return self._parts(uses)[:2]

    def _parts(self, uses):
        """Shift, information, and what follows of the touched rows."""
        rest = 2 * self.width if self.own_priors else self.n_first
        return tf.split(uses.packed, [self.width, self.width, rest], 1)

    def draw(self, posterior, uses, data, plan, s):
        """A vector for every use of a token: one sample each.

        Drawn one by one, vectors of columns that say the same scatter more than all of
        them together; they are drawn with the share of their spread that is their own.
        """
        width = self.width
        mask = uses.rows.mask
        sd = self._temper(plan, s) * tf.math.rsqrt(posterior.precision)
        sd *= posterior.prior.own * mask
        mean, sd = uses.of_each(posterior.mean * mask), uses.of_each(sd)
        n = tf.size(uses.use) * width
        start = plan.first_row * uses.places.n_slots * width
        start += tf.gather(plan.offsets, s)
        noise = tf.reshape(tf.slice(data.pool, [start], [n]), [-1, width])
        return mean + sd * noise

    def _temper(self, plan, s):
        """Share of the spread that is drawn, by coordinate.

        Only what the layers read is warmed up: interactions are found there.
        """
        ones = tf.ones([self.n_first])
        rest = tf.fill([self.width - self.n_first], tf.gather(plan.temper, s))
        return tf.concat([ones, rest], 0)

    def probe(self, f, log_noise, data, plan, s):
        """What is differentiated for the curvature: a root, and a sum of outputs."""
        root = losses.root_information(self.loss, f, log_noise, **self.constants)
        signs = self._signs(f, data, plan, s)
        return root, losses.sensitivity(self.loss, root, signs, f)

    def _signs(self, f, data, plan, s):
        if self.n_outputs == 1:
            return 1.0
        # From another place in the pool than the vectors' noise.
        start = tf.gather(plan.offsets, s) // 2 + plan.first_row * self.n_outputs
        noise = tf.slice(data.pool, [start], [tf.size(f)])
        return tf.sign(tf.reshape(noise, tf.shape(f)))

    def slopes(self, forward, uses, vectors, weights, plan, known):
        """Gradients and curvature of the loss, and how much of each token is here."""
        tape, passed = forward.tape, forward.passed
        root, sensitivity = forward.probe
        information = losses.information(self.loss, root)
        jacobian, *by_layer = tape.gradient(
            sensitivity,
            [forward.flat, *passed.activations],
            unconnected_gradients="zero",
        )
        if self.has_own_head:  # Its own losses may depend on the vectors.
            by_flat, by_theta = _by_both(forward)
            gradient = uses.added_up(by_flat)
        else:
            by_f, *by_rest = tape.gradient(
                forward.data_part,
                [passed.f, *passed.rest.values()],
                unconnected_gradients="zero",
            )
            by_layers = by_f
            if passed.layers:
                effects = self._effects(forward.flat, uses, passed)
                fisher = information * tf.expand_dims(weights, 1)
                by_layers += response.slope(known, effects, fisher)
                known = response.sums(effects, passed.activations[-1], fisher)
            if self.n_outputs == 1:
                # All slopes are multiples of the output's own, one pass serves all.
                gradient = uses.added_up(jacobian, uses.each((by_f / root)[:, 0]))
                factor = by_layers / root
            else:
                gradient = uses.added_up(tape.gradient(passed.f, forward.flat, by_f))
                by_layer, factor = passed.by_layer(tape, by_layers), 1.0
            by_theta = passed.slope(by_layer, factor, by_rest)
        mask = uses.rows.mask
        curvature = uses.added_up(tf.square(jacobian), uses.weights(weights))
        seen = uses.batch.times(tf.expand_dims(weights, 1))
        sums = gradient * mask, curvature * mask, seen
        if not self.own_priors:
            direct = information
            if self.n_outputs > 1:
                readout = passed.parts["readout"]
                direct = losses.information_behind(self.loss, root, readout)
            probe, _ = self._probe(uses, vectors)
            sums += (self._slope_of_probe(probe, uses, direct, weights),)
        widths = self.width, self.width, 1, self.n_first
        for part, n in zip(sums, widths, strict=False):  # no probe under own priors
            part.set_shape([None, n])
        return Slopes(by_theta * plan.per_observation, sums, known)

    def _effects(self, flat, uses, passed):
        """First-order effects of every use, (n_rows * n_outputs, n_slots)."""
        effects = flat[:, : self.n_first]
        if uses.factors is not None:
            effects *= uses.factors
        if self.n_outputs > 1:
            effects = tf.matmul(effects, passed.parts["readout"])
        n_rows, n_slots = uses.places.n_rows, uses.places.n_slots
        effects = tf.reshape(effects, [n_rows, n_slots, self.n_outputs])
        if self.n_outputs > 1:
            effects = tf.transpose(effects, [0, 2, 1])
        return tf.reshape(effects, [n_rows * self.n_outputs, n_slots])

    def pull(self, theta, data):
        """Gradient of what keeps kernels near their start."""
        return data.pull * (theta - data.start)

    def pace(self, sums, uses, posterior, data, plan, s):
        """How far each row moves, before it is known what all of them take."""
        _, curvature, seen, *_ = sums
        share = seen * uses.rows.per_count
        # Nothing moves what nothing has seen.
        times = 1.0 / tf.maximum(share, priors.TINY)
        rho = tf.gather(plan.row_rates, s) * plan.batch_share * share
        rho = tf.minimum(rho, settings.MAX_ROW_STEP) * uses.rows.moves
        information = self._site(uses)[1]
        new = information + rho * (times * curvature - information)
        return Pace(share, times, rho, new)

    def step(
        self, table, theta, sums, pace, taken, uses, posterior, data, plan, s, rate
    ):
        """Natural-gradient step of the touched rows' posteriors.

        Every token moves in proportion to the share of its own rows that the batch
        holds: in an epoch a token of five rows moves as far towards its optimum as one
        of five thousand. Update of mean and precision as in Khan et al. 2018 ("Fast and
        Scalable Bayesian Deep Learning by Weight-Perturbation in Adam", section 3.1),
        with the Gauss-Newton curvature.

        Returns the dense weights with new prior scales, and the batch's share of the
        divergence from the priors.
        """
        mean, precision, prior = posterior
        gradient, curvature, seen, *of_probe = sums
        share, times, rho, new_information = pace
        second = tf.square(mean - prior.mean) + 1.0 / precision
        kl = prior.precision * second - 1.0 + tf.math.log(precision / prior.precision)
        kl = 0.5 * tf.reduce_sum(share * kl)

        shift, information, rest = self._parts(uses)
        rho /= self._overshoot(taken, seen, uses)

        def moved(shift, mean, slope, kept, n):
            """Site after a step, the same where there is none.

            Precisions have no digits for what it changes.
            """
            h, step = information[:, :n], rho[:, :n]
            change = (new_information[:, :n] - h) * mean
            return shift + change - step * (kept * (shift - h * mean) + times * slope)

        origin = prior.mean if self.own_priors else 0.0
        new = moved(shift, mean - origin, gradient, self._temper(plan, s), self.width)
        if self.loss in losses.CURVED:
            new -= self._too_far(new, new_information, posterior)
        if not self.own_priors:
            probe, joint = self._probe(uses, posterior)
            (slope,) = of_probe
            pace = tf.gather(plan.scale_paces, s)

            def scored():
                evidence = self._evidence(share, posterior, joint, uses)
                sums = evidence, uses, data, plan.epoch_share, pace
                return self.priors.scored(theta, prior, *sums)

            theta = tf.cond(pace > 0.0, scored, lambda: theta)
            rest = moved(rest, probe, slope, 1.0, self.n_first)
        uses.rows.write(table, [new, new_information, rest])
        return theta, kl

    def _too_far(self, shift, information, posterior):
        """What a step has added to sites beyond as far as its curvature is known."""
        mean, _, prior = posterior
        site = shift, information
        new, precision = self._posterior(*site, prior.mean, prior.precision)
        most = settings.MAX_MEAN_STEP
        return precision * (new - tf.clip_by_value(new, mean - most, mean + most))

    def _probe(self, uses, posterior):
        """Answer of the touched rows to the probe, and what they know by it."""
        n = self.n_first
        prior = tf.sqrt(posterior.prior.precision[:, :n]) * uses.rows.signs
        probe = (prior + self._parts(uses)[2]) / posterior.precision[:, :n]
        # Curvature that the layers have made less of would let it swing ever wider.
        most = settings.MOST_OF_PROBE * tf.math.rsqrt(posterior.prior.precision[:, :n])
        probe = tf.clip_by_value(probe, -most, most)
        return probe, 1.0 - probe * prior

    def _slope_of_probe(self, probe, uses, direct, weights):
        """Slope of the loss of the probe's data, which are 0, by its vectors."""
        mask = uses.rows.mask[:, : self.n_first]
        f = uses.direct.transposed_times(probe * mask)
        by_f = f * direct * tf.expand_dims(weights, 1)
        return uses.direct.times(by_f) * mask

    def _evidence(self, share, posterior, joint, uses):
        """What the touched rows say of their priors."""
        n, prior = self.n_first, posterior.prior
        shift, information = (part[:, :n] for part in self._site(uses))
        gap = (shift - information * prior.mean[:, :n]) / posterior.precision[:, :n]
        known = information / posterior.precision[:, :n]
        return priors.Evidence(share, gap, known, joint)

    def taken(self, pace, sums, uses, posterior, weights):
        """What the steps of the vectors of a row of the data take of its residual.

        Returns the sum over the uses of each touched row of the table.
        """
        taken = pace.rho * pace.times * sums[1]
        taken /= posterior.prior.precision + pace.information
        taken = uses.batch.transposed_times(tf.reduce_sum(taken, 1, keepdims=True))
        taken *= tf.expand_dims(weights, 1)
        return uses.batch.times(taken)[:, 0]

    def _overshoot(self, taken, seen, uses):
        """How far a step would overshoot, as a divisor of it: at least 1.

        All coordinates of a row's vectors move at once for the same residual. Together
        they must not take more than all of it, or the steps grow instead of shrinking.
        """
        taken = tf.expand_dims(taken, 1) / tf.maximum(seen, priors.TINY)
        return tf.maximum(1.0, taken / uses.most_taken)


def _by_both(forward):
    """Slopes of the loss by the vectors of the uses and by the dense weights."""
    return forward.tape.gradient(
        forward.data_part,
        [forward.flat, forward.theta],
        unconnected_gradients="zero",
    )


def _pieces(n):
    """Positions of rows of a table, some at a time: it may be most of the memory."""
    step = settings.TABLE_ROWS
    for start in range(0, n, step):
        yield np.arange(start, min(start + step, n))


_KINDS = {tables.PointTable: PointTable, tables.PosteriorTable: PosteriorTable}


def of_spec(spec):
    """The kind of table that a trace is for."""
    return _KINDS[spec.architecture.tables](spec)

"""What a fitted network says of a row, as values of a graph of ONNX."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .. import _settings as settings
from .._model.draws import antithetic, spread_out
from .._model.intervals import NORMAL
from .._model.likelihoods import gauss_hermite
from .._model.network import moved_by_vectors
from .._model.scatter import noise_scale
from . import _layers as layers
from ._direct import Direct
from ._lookups import first_rows

_ZERO, _ONE, _TINY = np.float64(0), np.float64(1), np.float64(1e-300)


class Outcomes:
    """Predictions of a fitted network, each made when it is first asked for.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    lookups : list of Lookup
        Of all vectors of a row but those of bins. Their rows stand one below the other
        in the table of vectors, and after them those of bins.
    tokens : list of str
        Rows of the table of vectors, (n_rows, 1), of every lookup.
    numbers : Numbers
    """

    def __init__(self, g, fitted, lookups, tokens, numbers):
        layers.refuse_own(fitted.architecture)
        self.g = g
        self.fitted = fitted
        self.lookups = lookups
        self.tokens = tokens
        self.numbers = numbers

    # What the network reads.

    @cached_property
    def _rows(self):
        """Rows of the table, (n_rows, n_lookups), or None without columns."""
        bins = [] if self.numbers.rows is None else [self.numbers.rows]
        return self.g.side_by_side(self.tokens + bins) if self.tokens + bins else None

    def _joined(self, values, masked=True, squared=False):
        """Rows of the table of vectors, from those of the network's table."""
        fitted = self.fitted
        mask, n = (fitted.mask if masked else None), fitted.encoder.n_token_blocks
        parts = [one.sums(values, mask, squared) for one in self.lookups]
        of_bins = values[fitted.n_token_rows :]
        if masked:
            sizes = fitted.encoder.column_sizes[n:]
            of_bins = of_bins * np.repeat(fitted.mask[n:], sizes, axis=0)
        return np.concatenate([*parts, of_bins])

    @cached_property
    def _adds_up(self):
        """Which lookups each vector is the sum of, or None where each is one."""
        fields = [one.field for one in self.lookups]
        encoder = self.fitted.encoder
        n, n_read = len(encoder.fields), encoder.n_fields - len(encoder.unread)
        if fields == list(range(n)) and not encoder.unread:
            return None
        fields += range(n, n_read)
        return (np.arange(self.fitted.n_fields)[:, None] == fields).astype(np.float32)

    def _of_rows(self, table):
        """Rows of a table as vectors, (n_rows, n_fields * width), float32."""
        found = self.g.rows(table.astype(np.float32), self._rows)
        if self._adds_up is not None:
            found = self.g.add("MatMul", self._adds_up, found)
        width = self.fitted.n_fields * self.fitted.architecture.width
        return self.g.shaped(found, -1, width)

    @cached_property
    def _vectors(self):
        if self._rows is None:
            return None
        found = self._of_rows(self._joined(self._table.mean))
        if self._direct is not None:
            found = self._direct.added_to(found, self._table.mean)
        return self.g.cast(found, np.float64)

    @cached_property
    def _direct(self):
        """What is in no vector of a token, or None."""
        if not self.fitted.encoder.direct_blocks:
            return None
        return Direct(self.g, self.fitted, self.lookups, self.tokens, self.numbers)

    @cached_property
    def _spreads(self):
        """Posterior standard deviations of the vectors."""
        variance = self._joined(1.0 / self._table.precision, squared=True)
        if self._adds_up is None:
            return self._of_rows(np.sqrt(variance))
        variance = self._of_rows(variance)
        if self._direct is not None:
            of_rows = 1.0 / self._table.precision
            variance = self._direct.added_to(variance, of_rows, squared=True)
        return self.g.add("Sqrt", variance)

    @property
    def _table(self):
        return self.fitted.weights.table

    @cached_property
    def _network(self):
        """Output at the vectors' means, and what each activation was applied to."""
        return layers.outputs(self.g, self.fitted, self._vectors, self.numbers.values)

    @cached_property
    def _roots(self):
        """Slopes times spreads, a root of a covariance, row by row."""
        slopes = layers.slopes(self.g, self.fitted, self._network.hidden)
        spreads = self.g.add("Unsqueeze", self._spreads, np.array([1], np.int64))
        return self.g.cast(self.g.add("Mul", slopes, spreads), np.float64)

    @property
    def _is_spread(self):
        has_spread = self.fitted.architecture.tables.has_spread
        return self.fitted.likelihood.bends and has_spread and self._rows is not None

    # What it says.

    @property
    def vectors(self):
        """Vectors of the tokens of every row, side by side, float32."""
        g, fitted, encoder = self.g, self.fitted, self.fitted.encoder
        if not self.tokens:
            raise ValueError(
                "outputs asks for vectors, but the estimator was fitted without a "
                "column of tokens."
            )
        parts, starts = [], first_rows(self.lookups)
        of_own = [(one.column, one.field) for one in self.lookups]
        for k, dim in enumerate(fitted.dims):
            # Of tokens within others `embeddings_` has those of their usual parents.
            table = fitted.of_codes(self._table.mean, k)[:, :dim].astype(np.float32)
            at = of_own.index((k, encoder.field_of(k)))
            rows = table[self.lookups[at].codes(fitted, k)]
            place = g.add("Sub", self.tokens[at], np.int64(starts[at]))
            parts.append(g.rows(rows, g.shaped(place, -1)))
        return g.side_by_side(parts)

    @cached_property
    def prediction(self):
        """Mean outcome, in units of y."""
        f = self._network.f
        if self._is_spread:  # of those of amounts only the log link bends
            variance = self._variance
            most = np.float64(settings.MAX_LOG_VARIANCE)
            half = self.g.add("Mul", self.g.add("Min", variance, most), np.float64(0.5))
            f = self.g.add("Add", f, half)
        return self._in_units(self.g, f)

    @cached_property
    def _variance(self):
        found = self.g.total(self.g.add("Mul", self._roots, self._roots), 2)
        return found if self._beyond is None else self.g.add("Add", found, self._beyond)

    @cached_property
    def _beyond(self):
        """`Beyond.variance`, or None where there are no ranges."""
        g, beyond = self.g, self.fitted.beyond
        known = np.flatnonzero(np.isfinite(beyond.high))
        if not len(known):
            return None
        z = g.columns(self.numbers.values, known)
        above = g.add("Max", g.add("Sub", z, beyond.high[known]), _ZERO)
        below = g.add("Max", g.add("Sub", beyond.low[known], z), _ZERO)
        # One of the two is 0.
        outside = g.add("Greater", g.add("Max", above, below), _ZERO)
        found = g.add("MatMul", g.cast(outside, np.float64), beyond.bins[known])
        for walk, distance in zip(beyond.walk, (below, above), strict=True):
            found = g.add("Add", found, g.add("MatMul", distance, walk[known]))
        return found

    @cached_property
    def probabilities(self):
        """Probability of every class; of several labels, of a one in each."""
        of_many = self.fitted.likelihood.name == "categorical"
        log_odds, g = self.fitted.log_odds, self.g
        if log_odds is None:
            return self._of_many() if of_many else self._of_ones(1.0)
        if of_many:
            f = g.add("Log", g.add("Max", self._of_many(), _TINY))
        else:  # next to 1, what is left to it says more than the probability
            yes, no = (g.add("Max", self._of_ones(sign), _TINY) for sign in (1.0, -1.0))
            f = g.add("Sub", g.add("Log", yes), g.add("Log", no))
        f = g.add("Add", g.add("Mul", f, log_odds.slope), log_odds.shift)
        return g.add("Softmax", f, axis=1) if of_many else g.add("Sigmoid", f)

    @property
    def _near(self):
        """Type of probabilities: float32 is near enough, and twice as fast.

        But not where log-odds are read from them again, which shift them.
        """
        return np.float32 if self.fitted.log_odds is None else np.float64

    @cached_property
    def of_two(self):
        """Probabilities of two classes."""
        yes = self.probabilities
        return self.g.side_by_side([self.g.add("Sub", _ONE, yes), yes])

    def _of_ones(self, sign):
        """Probability of a one in every output; with sign -1 of a zero."""
        g, f = self.g, self._network.f
        f = f if sign > 0 else g.add("Neg", f)
        if not self._is_spread:
            return g.add("Sigmoid", f)
        nodes, weights = gauss_hermite()
        last = np.array([2], np.int64)
        sd = g.add("Sqrt", self._variance)
        f, sd = (g.add("Unsqueeze", g.cast(one, self._near), last) for one in (f, sd))
        nodes, weights = nodes.astype(self._near), weights.astype(self._near)
        at = g.add("Add", f, g.add("Mul", sd, nodes))
        p = g.add("MatMul", g.add("Sigmoid", at), weights[:, None])
        return g.cast(g.add("Squeeze", p, last), np.float64)

    def _of_many(self):
        """Mean of the softmax, over the draws that `Categorical.integrated` takes."""
        g, f = self.g, self._network.f
        if not self._is_spread:
            return g.add("Softmax", f, axis=1)
        n_outputs = self.fitted.architecture.n_outputs
        draws = spread_out(settings.CLASS_PAIRS, n_outputs)
        shift = g.einsum("sj,jni->nsi", draws, self._cholesky(n_outputs))
        f = g.add("Unsqueeze", f, np.array([1], np.int64))
        p = g.add("Softmax", g.cast(g.add("Add", f, shift), self._near), axis=2)
        p = g.cast(g.total(p, 1), np.float64)
        return g.add("Mul", p, np.float64(1.0 / len(draws)))

    def _cholesky(self, n):
        """Columns of the root that `likelihoods.root_of` makes, one after the other."""
        g = self.g
        covariance = g.einsum("nij,nkj->nik", self._roots, self._roots)
        if self._beyond is not None:
            beyond = g.add("Unsqueeze", self._beyond, np.array([2], np.int64))
            covariance = g.add("Add", covariance, g.add("Mul", beyond, np.eye(n)))
        size = g.total(self._variance, 1)
        size = g.add("Mul", size, np.float64(settings.ROOT_RIDGE / n))
        size = g.add("Add", size, np.float64(settings.ROOT_LEAST))
        size = g.shaped(size, -1, 1, 1)
        covariance = g.add("Add", covariance, g.add("Mul", size, np.eye(n)))
        body = g.inner()
        left, unit = f"{body.prefix}left", f"{body.prefix}unit"
        column = body.add("MatMul", left, unit)
        pivot = body.add("MatMul", column, unit)
        pivot = body.add("Unsqueeze", pivot, np.array([1], np.int64))
        column = body.add("Div", column, body.add("Sqrt", pivot))
        across = body.add("Unsqueeze", column, np.array([1], np.int64))
        down = body.add("Unsqueeze", column, np.array([2], np.int64))
        rest = body.add("Sub", left, body.add("Mul", down, across))
        rest = body.add("Identity", rest)
        _, columns = g.scan(
            body, [(left, covariance)], [(unit, np.eye(n))], rest, column
        )
        return columns

    # Standard deviations and intervals.

    @cached_property
    def _moments(self):
        """Prediction, its own variance and that of the noise, in units of y."""
        self._refuse_points("The standard deviation of a prediction")
        f = self._network.f
        return self._in_units(self.g, f), self._own_variance(), self._noise_variance(f)

    @cached_property
    def std(self):
        """Standard deviation of an outcome about its prediction."""
        _, own, noise = self._moments
        return self.g.add("Sqrt", self.g.add("Add", own, noise))

    def ends(self, coverage):
        """Lower and upper end of the interval that holds this share of outcomes."""
        g = self.g
        predicted = self._moments[0]
        residuals = self.fitted.residuals or NORMAL
        ends = []
        for level in 0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage):
            factor = self._quantile(residuals, level)
            if self._share_beyond is not None:
                common = residuals.at(level, np.zeros(1))
                less = g.add("Mul", self._share_beyond, g.add("Sub", common, factor))
                factor = g.add("Add", factor, less)
            end = g.add("Add", predicted, g.add("Mul", factor, self.std))
            if self.fitted.likelihood.non_negative:
                end = g.add("Max", end, _ZERO)
            ends.append(end)
        return ends

    @cached_property
    def _share_beyond(self):
        """Share of the variance that lies beyond the range of numbers, or None."""
        if self._beyond is None:
            return None
        g = self.g
        beyond = g.add("Mul", self._beyond, self._square_slope)
        variance = g.add("Mul", self.std, self.std)
        return g.add("Div", beyond, g.add("Max", variance, _TINY))

    @property
    def _square_slope(self):
        """Square of the derivative of the outcome by the output."""
        g, f, slope = self.g, self._network.f, np.square(self.fitted.scale)
        if not self.fitted.likelihood.bends:
            return slope
        return g.add("Mul", g.add("Exp", g.add("Add", f, f)), slope)

    def _quantile(self, residuals, level):
        """Quantile of the standardised residual, by how rare a row's tokens are."""
        g = self.g
        at = getattr(residuals, "rarities", np.zeros(1))
        values = residuals.at(level, at)  # (n_ranges, n_outputs)
        if len(at) == 1 or not self.tokens:
            return values[:1]
        part = g.add("Sub", self._rarity, at[:-1])
        part = g.add("Div", part, np.diff(at))
        part = g.add("Clip", part, _ZERO, _ONE)
        return g.add("Add", g.add("MatMul", part, np.diff(values, axis=0)), values[:1])

    @cached_property
    def _rarity(self):
        """`intervals.rarity`, (n_rows, 1)."""
        counts = [index.code_counts for index in self.fitted.encoder.tokens]
        counts = np.maximum(np.concatenate(counts), 0.0)
        squares = np.zeros((len(self._table.mean), 1))
        squares[: len(counts), 0] = np.square(1.0 / (1.0 + counts))
        squares = self._joined(squares, masked=False, squared=True)[:, 0]
        found = self.g.rows(squares, self.g.side_by_side(self.tokens))
        return self.g.add("Sqrt", self.g.total(found, 1, keep=True))

    def _own_variance(self):
        """`Predictor.moments`, squared, with some draws of the vectors at a time.

        Draws move what the first layer puts out, which is there, by their product with
        its kernel; opposite ones by the opposite. What moves is small beside the
        outputs, so float32 will do.
        """
        g, fitted = self.g, self.fitted
        f = self._network.f
        start = g.add("Sub", f, f)
        if self._rows is None:
            return start
        middle = np.array([1], np.int64)
        of_layers = self._network.layers
        at = (self._network.hidden or [of_layers])[0], of_layers
        at = [g.add("Unsqueeze", g.cast(one, np.float32), middle) for one in at]
        spreads = g.add("Unsqueeze", self._spreads, middle)
        shape = fitted.n_fields, fitted.architecture.width
        draws, _ = np.split(antithetic(settings.STD_PAIRS, *shape), 2)
        draws = draws.reshape(-1, settings.GRAPH_PAIRS, draws[0].size)
        body = g.inner(np.float32)
        total, square, draw = (f"{body.prefix}{n}" for n in ("total", "square", "draw"))
        shift = body.add("Mul", spreads, body.cast(draw, np.float32))
        dense = fitted.weights.dense
        by_vectors = moved_by_vectors(fitted.architecture, dense, fitted.n_fields)
        shift = body.add("MatMul", shift, by_vectors)
        sums, squares = total, square
        for moved_by in shift, body.add("Neg", shift):
            value = layers.moved(body, fitted, at, moved_by)
            value = body.cast(value, np.float64)
            if fitted.likelihood.bends:  # about exp(f), in units of it
                value = body.add("Sub", body.add("Exp", value), g.value(_ONE))
            sums = body.add("Add", sums, body.total(value, 1))
            value = body.add("Mul", value, value)
            squares = body.add("Add", squares, body.total(value, 1))
        total, square = g.scan(
            body, [(total, start), (square, start)], [(draw, draws)], sums, squares
        )
        each = np.float64(0.5 / settings.STD_PAIRS)
        shift = g.add("Mul", total, each)
        mean_square = g.add("Mul", square, each)
        within = g.add("Sub", mean_square, g.add("Mul", shift, shift))
        within = g.add("Max", within, _ZERO)
        if self._beyond is not None:
            within = g.add("Add", within, self._beyond)
        return g.add("Mul", within, self._square_slope)

    def _noise_variance(self, f):
        """Variance of an outcome about its mean, in units of y."""
        g, plain, noise = self.g, self._plain_noise(f), self.fitted.row_noise
        if noise is None:
            return plain
        parts = []
        for output, cuts in enumerate(noise.cuts):
            table = noise.by_prediction[output]
            above = g.cast(
                g.add("GreaterOrEqual", g.columns(f, [output]), cuts), np.float64
            )
            steps = g.add("MatMul", above, np.diff(table)[:, None])
            parts.append(g.add("Add", steps, table[:1]))
        log_factor = g.side_by_side(parts)
        if self._rows is not None:
            by_token = self._joined(noise.by_token, masked=False)
            of_rows = g.rows(by_token, self._rows)
            log_factor = g.add("Add", log_factor, g.total(of_rows, 1))
        return g.add("Mul", plain, g.add("Exp", log_factor))

    def _plain_noise(self, f):
        """The same without what the noise knows of the row."""
        g, fitted = self.g, self.fitted
        likelihood, noise = fitted.likelihood, noise_scale(fitted)
        unit = np.square(fitted.scale)
        if likelihood.name in ("poisson", "gamma"):
            squares = g.add("Exp", g.add("Add", f, f))
            of_rates = g.add("Mul", squares, np.square(noise) * unit)
            if likelihood.name == "gamma":
                return of_rates
            own = g.add("Mul", g.add("Exp", f), unit)
            return g.add("Add", own, of_rates) if likelihood.has_noise else own
        # The same for all rows.
        return likelihood.variance(np.zeros((1, len(noise))), noise) * unit

    def _in_units(self, g, f):
        """The outcome that an output stands for."""
        fitted = self.fitted
        if fitted.likelihood.bends:
            f = g.add("Exp", f)
        if (fitted.scale != 1.0).any():
            f = g.add("Mul", f, np.asarray(fitted.scale, np.float64))
        if (fitted.centre != 0.0).any():
            f = g.add("Add", f, np.asarray(fitted.centre, np.float64))
        return f

    def _refuse_points(self, what):
        if not self.fitted.architecture.tables.has_spread:
            raise ValueError(
                f"{what} needs the posterior of prior='normal'; this estimator was "
                "fitted with prior=None, which knows points only."
            )

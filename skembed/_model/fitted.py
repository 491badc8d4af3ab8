"""What a fit leaves behind, in plain NumPy: small to pickle, no TensorFlow."""

from dataclasses import dataclass, replace

import numpy as np

from .._data.features import FeatureEncoder
from .beyond import Beyond
from .calibration import LogOdds
from .intervals import ResidualQuantiles
from .likelihoods import Likelihood
from .network import Architecture, Knots, Weights, readout
from .predictor import Predictor
from .prior import Curves, LearnedPrior
from .row_noise import RowNoise


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network with all that reads rows into it and outcomes out of it.

    Attributes
    ----------
    encoder : FeatureEncoder
        From tables to codes and numbers.
    architecture : Architecture
    weights : Weights
    mask : ndarray of float32 of shape (n_blocks, width)
        0 for the coordinates that a block of the table does not have.
    likelihood : Likelihood
    centre, scale : ndarray of float64 of shape (n_outputs,)
        The network's output times `scale` plus `centre` is the outcome.
    n_seen : float
        Weight of all rows seen so far.
    residuals : ResidualQuantiles or None
        How outcomes fall about their predictions, where intervals are drawn by it.
    row_noise : RowNoise or None
        How the noise depends on the row, where it has been looked at.
    log_odds : LogOdds or None
        What rows that were not learned from have said of probabilities.
    importances : ndarray of float64 of shape (n_features,), or None
        Shares of the columns of the table in the variance of the output.
    drift : ndarray of float64 of shape (2, n_numbers, n_outputs), or None
        How far outcomes drift along each number, below and above its range, where it
        has been looked at: variance of the output over a distance of 1.
    """

    encoder: FeatureEncoder
    architecture: Architecture
    weights: Weights
    mask: np.ndarray
    likelihood: Likelihood
    centre: np.ndarray
    scale: np.ndarray
    n_seen: float
    residuals: ResidualQuantiles | None = None
    row_noise: RowNoise | None = None
    log_odds: LogOdds | None = None
    importances: np.ndarray | None = None
    drift: np.ndarray | None = None

    @property
    def predictor(self):
        """The network as a function of encoded rows."""
        return Predictor(
            self.architecture,
            self.weights,
            Knots(*self.encoder.knots),
            self.encoder.column_sizes,
            self.mask,
            self.beyond if self.likelihood.bends else None,
        )

    @property
    def beyond(self):
        """What is not known of numbers beyond the range of fit; None for points."""
        if not self.architecture.tables.has_spread:
            return None
        return Beyond.of(self.encoder, self.weights.dense, self.drift)

    @property
    def n_fields(self):
        """Number of vectors that the network reads of a row."""
        return self.encoder.n_fields

    @property
    def offsets(self):
        """First row of each block of the table, int64 (n_blocks,)."""
        return np.cumsum([0, *self.encoder.column_sizes])[:-1].astype(np.int64)

    @property
    def dims(self):
        """Length of the vectors of each column of tokens."""
        columns = range(len(self.encoder.tokens))
        masks = [self.mask[self.encoder.blocks_of(k)].max(axis=0) for k in columns]
        return np.array([mask.sum() for mask in masks], int)

    @property
    def code_sizes(self):
        """Number of codes of each column of tokens."""
        return [index.n_codes for index in self.encoder.tokens]

    @property
    def n_token_rows(self):
        """Number of rows of the table that are tokens'; those of bins follow."""
        return int(sum(self.encoder.column_sizes[: self.encoder.n_token_blocks]))

    @property
    def is_token(self):
        """Which rows of the table are tokens', and not bins' of numbers."""
        return np.arange(len(self.weights.table.mean)) < self.n_token_rows

    @property
    def prior_scales(self):
        """Standard deviations of the prior, one array per column of tokens."""
        pairs = zip(self.prior.precision, self.dims, strict=False)
        return [1.0 / np.sqrt(row[:dim]) for row, dim in pairs]

    @property
    def prior(self):
        """Learned prior of every row of the table; None where vectors are points."""
        if not self.architecture.tables.has_spread:
            return None
        sizes, width = self.encoder.column_sizes, self.architecture.width
        return LearnedPrior.of(self.weights.dense["prior"], width, sizes, self.curves)

    @property
    def curves(self):
        """The basis of the curves of numbers, at their bins."""
        sizes = self.encoder.column_sizes[self.encoder.n_token_blocks :]
        return Curves.of(self.n_token_rows, sizes)

    def of_codes(self, values, k, squared=False):
        """Rows of `values`, one per row of the table, by the codes of a column.

        Each coordinate is from the block that has it. Where vectors are sums of rows,
        `values` add up, as means do; with `squared` factors as variances.
        """
        own = self._rows_of(values, k)
        out, parents = own, dict(self.encoder.parents_of(k))
        maps = dict(self.encoder.features_of(k))
        for block in self.encoder.blocks_of(k)[1:]:
            rows = self._rows_of(values, block)
            if block in parents:
                out = out + rows[parents[block]] * self.mask[block]
            elif block in maps:
                index = self.encoder.tokens[k]
                factors = np.zeros((index.n_codes, len(rows) - 1))
                # Tokens that are pooled share a code: the first stands for all.
                factors[index.codes[::-1]] = maps[block][::-1]
                out = out + _mapped(factors, rows * self.mask[block], squared)
            else:
                out = np.where(self.mask[block] > 0, rows, out)
        return out

    def _rows_of(self, values, block):
        starts = np.append(self.offsets, len(values))
        return values[starts[block] : starts[block + 1]]

    def means(self):
        """Vectors of every column of tokens, in the order of its categories."""
        return self.vectors(self.weights.table.mean)

    def spreads(self):
        """Their posterior standard deviations."""
        precision = self.weights.table.precision
        if self.encoder.levels or self.encoder.described:
            return [np.sqrt(found) for found in self.vectors(1.0 / precision, True)]
        return [1.0 / np.sqrt(found) for found in self.vectors(precision)]

    @property
    def slopes(self):
        """Slopes that vary by token, per unit of the number and in units of y.

        By the positions of the columns of tokens and of numbers in `X`, in the order of
        the categories; (n_tokens,), or (n_tokens, n_outputs) where there are several.
        """
        first = self._first_order
        return self._slopes(lambda rows: rows @ first)

    @property
    def slope_spreads(self):
        """Their posterior standard deviations."""
        square = np.square(self._first_order)
        return self._slopes(
            lambda rows: np.sqrt((1.0 / rows) @ square), self.weights.table.precision
        )

    @property
    def _first_order(self):
        """What first coordinates add to the outputs, in units of y."""
        first = readout(self.architecture, self.weights.dense)
        return first.astype(np.float64) * self.scale

    def _slopes(self, of_rows, values=None):
        values = self.weights.table.mean if values is None else values
        are_tokens, out = self.encoder.is_categorical, {}
        columns, numbers = np.flatnonzero(are_tokens), np.flatnonzero(~are_tokens)
        for block, one in self.encoder.slope_blocks:
            if one.is_curve:
                continue
            rows = self._rows_of(values, block)[:, : self.architecture.n_first]
            rows = rows[self.encoder.tokens[one.column].codes].astype(np.float64)
            scale = self.encoder.scales[one.number]
            found = of_rows(rows) / (scale.sd * scale.unit)
            key = int(columns[one.column]), int(numbers[one.number])
            out[key] = found[:, 0] if found.shape[1] == 1 else found
        return out

    def vectors(self, values, squared=False):
        """Rows of `values` by column of tokens, in the order of its categories."""
        out = []
        pairs = zip(self.encoder.tokens, self.dims, strict=True)
        for k, (index, dim) in enumerate(pairs):
            block = self.of_codes(values, k, squared)[:, :dim]
            in_order = np.array_equal(index.codes, np.arange(len(index.codes)))
            out.append(block[: len(index.codes)] if in_order else block[index.codes])
        return out

    def with_weights(self, weights):
        """The same with other weights."""
        return replace(self, weights=weights)

    def with_table(self, table):
        """The same with another table."""
        return replace(self, weights=self.weights.with_table(table))

    def grown(self, encoder):
        """The same with a row of its own for every token that `encoder` added.

        In each column the last row stands for unknown tokens and stays last. It is the
        prior: new tokens start from it.
        """
        at, start = [np.zeros(0, np.int64)], 0
        sizes = zip(self.encoder.column_sizes, encoder.column_sizes, strict=True)
        for before, after in sizes:
            at.append(np.arange(start, start + before - 1))
            at.append(np.full(after - before + 1, start + before - 1))
            start += before
        at = np.concatenate(at)
        noise = self.row_noise and self.row_noise.rows(at)
        grown = replace(self, encoder=encoder, row_noise=noise)
        return grown.with_table(self.weights.table.rows(at))

    def combined(self, others, counts):
        """The same with the vectors of tokens made of those of other networks.

        Parameters
        ----------
        others : list of Fitted
            Networks that differ in the vectors of tokens only.
        counts : ndarray of shape (n_others, n_table_rows)
            Weight of the rows that each has learned a vector from.
        """
        at = np.flatnonzero(self.is_token)
        prior = self.prior and self.prior.rows(at)
        tables = [other.weights.table.rows(at) for other in others]
        table = self.weights.table.combined(tables, counts[:, at], prior)
        return self.with_table(self.weights.table.replaced(at, table))


def _mapped(factors, rows, squared):
    """What features say: sums of the rows of their map, the last left out."""
    factors = np.square(factors) if squared else factors
    return (factors @ rows[:-1]).astype(np.float32)

"""Rows that do not fit into memory: coded once, and read from the disk block by block.

Every row goes to the bucket that its hash says, so equal rows meet in one, where they
are merged. A bucket holds rows from everywhere, in the order of their hashes: so any
stretch of the file is as good as a random sample, however the rows were sorted.
"""

import errno
import shutil
import tempfile

import numpy as np

from .. import _settings as settings
from .ahead import ahead
from .rows import Rows, merge, row_hash
from .sources import rows_at_once

REAL, WHOLE = np.float32, np.int32


class SpilledRows:
    """Merged rows on the disk; see `Rows` for what they are.

    The file has no name: it is gone when it is closed, and with the process.

    Parameters
    ----------
    head : Rows
        No rows, of the widths of these.
    file : binary file
    n_rows : int
    total : float
        Sum of the weights.
    n_given : int
        Number of rows before equal ones were merged.
    """

    blend, offset, n_shards, kept_batch = None, None, 1, None

    def __init__(self, head, file, n_rows, total, n_given):
        self.codes, self.numbers, self.targets, self.weights = head[:4]
        self.file, self.n_rows, self.total = file, n_rows, total
        self.n_given = n_given
        # Codes, numbers, targets and the weight, each in 4 bytes.
        self.width = sum(part.shape[1] for part in head[:3]) + 1

    @property
    def told(self):
        """What there is to know of the rows beside the file."""
        head = Rows(self.codes, self.numbers, self.targets, self.weights, 0)
        return head, self.n_rows, self.total, self.n_given

    @classmethod
    def of_told(cls, told, file):
        """The rows of a file that another process has opened."""
        head, *others = told
        return cls(head, file, *others)

    n_counted = Rows.n_counted

    @property
    def n_bytes(self):
        """Size of the file."""
        return 4 * self.width * self.n_rows

    def block(self, start, stop):
        """Codes, and numbers, targets and weights side by side, of some rows."""
        offset, shape = 4 * self.width * start, (stop - start, self.width)
        # Mapped for this once, so that what was read does not count as ours.
        return self._parts(np.memmap(self.file, WHOLE, "r", offset, shape))

    def at(self, positions):
        """The same of the rows at these positions."""
        whole = np.memmap(self.file, WHOLE, "r", 0, (self.n_rows, self.width))
        return self._parts(whole[positions])

    def _parts(self, found):
        n_codes = self.codes.shape[1]
        codes = np.ascontiguousarray(found[:, :n_codes])
        return codes, np.ascontiguousarray(found[:, n_codes:]).view(REAL)

    def close(self):
        """Remove the file."""
        self.file.close()


class JoinedRows:
    """Rows of several files, to be read as those of one.

    Parameters
    ----------
    parts : list of SpilledRows
    """

    blend, offset, n_shards, kept_batch = None, None, 1, None

    def __init__(self, parts):
        self.parts, head = parts, parts[0]
        self.codes, self.numbers = head.codes, head.numbers
        self.targets, self.weights, self.width = head.targets, head.weights, head.width
        self.n_rows = sum(part.n_rows for part in parts)
        self.total = float(sum(part.total for part in parts))
        self.n_given = sum(part.n_given for part in parts)

    n_counted = Rows.n_counted

    def block(self, start, stop):
        """As `SpilledRows.block`, from as many files as it takes."""
        found, first = [], 0
        for part in self.parts:
            low, high = max(start - first, 0), min(stop - first, part.n_rows)
            if low < high:
                found.append(part.block(low, high))
            first += part.n_rows
        return tuple(map(np.concatenate, zip(*found, strict=True)))


def blocks_of(rows):
    """Codes, and all else side by side, of all rows on the disk, block by block."""
    step = rows_at_once(settings.BLOCK_ROWS, rows.width)
    for start in range(0, rows.n_rows, step):
        yield rows.block(start, min(start + step, rows.n_rows))


class Spill:
    """Rows on their way to the disk: coded, put into buckets, and merged there.

    A context manager: when it is left by an error, nothing stays on the disk.

    Parameters
    ----------
    fitted : Fitted
        Its encoder, and the units of its output, are those of the rows.
    n_rows : int
        Rows that are to come.
    folds : Folds, default=None
        Each of them gets a file of its own; None: one file holds all rows.
    """

    def __init__(self, fitted, n_rows, folds=None):
        self.encoder, self.likelihood = fitted.encoder, fitted.likelihood
        self.offsets = fitted.offsets.astype(WHOLE)
        self.centre, self.scale = fitted.centre, fitted.scale
        self.n_rows, self.folds = n_rows, folds
        wanted = n_rows / rows_at_once(settings.BUCKET_ROWS, self._width)
        wanted = max(1.0, wanted)
        self.bits = int(min(np.ceil(np.log2(wanted)), np.log2(settings.MAX_BUCKETS)))
        self.folder = tempfile.gettempdir()
        self.files, self.made = [], []

    def __enter__(self):
        return self

    def __exit__(self, kind, *args):
        for file in self.files if kind is None else [*self.files, *self.made]:
            file.close()

    def run(self, parts):
        """Write all rows, `Samples` after `Samples`; returns merged rows and counts.

        Returns
        -------
        parts : list of SpilledRows
            One for each fold.
        counts : ndarray of float64 of shape (n_table_rows,)
            Weight of the rows behind every row of the table of vectors.

        Raises
        ------
        OSError
            If the disk is full.
        ValueError
            If these are not the rows that there were in the pass before.
        """
        encoder = self.encoder
        counts = [index.code_counts for index in encoder.tokens]
        of_bins = [np.zeros(size) for size in encoder.column_sizes[len(counts) :]]
        self._refuse_small_disk()
        self.files = [self._new_file() for _ in range(2**self.bits)]
        n_given = 0
        for matrix, ends, bins in ahead(self._coded, parts):
            n_given += len(matrix)
            start = 0
            for file, end in zip(self.files, ends, strict=True):
                self._write(file, matrix[start:end])
                start = end
            for total, own in zip(of_bins, bins, strict=True):
                total += own
        if n_given != self.n_rows:
            raise ValueError(
                f"X had {self.n_rows} rows in the first pass and {n_given} in the "
                "second: it must give the same rows each time."
            )
        return self._merged(), np.concatenate([*counts, *of_bins])

    def _coded(self, samples):
        """The rows of a piece in the order of their buckets, and where these end."""
        encoded = self.encoder.transform(samples.table)
        n_tokens = len(self.encoder.tokens)
        bins = [
            np.bincount(codes, samples.weights, size)
            for codes, size in zip(
                encoded.codes[:, n_tokens:].T,
                self.encoder.column_sizes[n_tokens:],
                strict=True,
            )
        ]
        codes = encoded.codes + self.offsets
        outcome = samples.outcome
        if self.likelihood.location_scale:
            outcome = (outcome - self.centre) / self.scale
        reals = encoded.numbers + 0.0, outcome, samples.weights
        matrix = _side_by_side(codes, reals)
        if self.folds is not None:
            fold = self.folds.of(samples.places)[:, None]
            matrix = np.concatenate([matrix, fold], axis=1, dtype=WHOLE)
        if not self.bits:
            return matrix, [len(matrix)], bins
        numbers = matrix[:, codes.shape[1] :][:, : self._n_numbers].view(REAL)
        bucket = row_hash([codes, numbers]) >> np.uint64(64 - self.bits)
        bucket = bucket.astype(np.uint8)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=2**self.bits))
        return np.take(matrix, order, axis=0), ends, bins

    def _merged(self):
        """All rows in one file of each fold, bucket after bucket, equal rows merged."""
        n_parts = 1 if self.folds is None else self.folds.n
        for _ in range(n_parts):
            self.made.append(self._new_file())
        told = [[0, 0.0, 0] for _ in range(n_parts)]
        for parts in ahead(self._of_bucket, list(self.files)):
            heads = [Rows(*(block[:0] for block in rows[:4]), 0) for rows in parts]
            for rows, file, known in zip(parts, self.made, told, strict=True):
                known[0] += rows.n_rows
                known[1] += rows.total
                known[2] += rows.n_given
                self._write(file, _side_by_side(rows.codes, rows[1:4]))
        for file in self.made:
            file.flush()
        return [
            SpilledRows(head, file, *known)
            for head, file, known in zip(heads, self.made, told, strict=True)
        ]

    def _of_bucket(self, file):
        """The merged rows of a bucket, fold by fold; the bucket is removed."""
        file.flush()
        file.seek(0)
        found = np.fromfile(file, WHOLE).reshape(-1, self._width)
        file.close()
        if self.folds is None:
            return [self._merged_rows(found)]
        fold = found[:, -1]
        return [self._merged_rows(found[fold == k, :-1]) for k in range(self.folds.n)]

    def _merged_rows(self, found):
        n_codes, n_numbers = len(self.offsets), self._n_numbers
        reals, likelihood = found[:, n_codes:].view(REAL), self.likelihood
        # Only what is added up needs the digits of 8 bytes.
        rows = merge(
            found[:, :n_codes],
            reals[:, :n_numbers],
            likelihood.targets(reals[:, n_numbers:-1].astype(np.float64)),
            reals[:, -1].astype(np.float64),
            likelihood.average_targets,
        )
        return rows._replace(targets=likelihood.finish_targets(rows.targets))

    @property
    def _n_numbers(self):
        return sum(map(len, self.encoder.number_places))

    @property
    def _width(self):
        """Codes, numbers, outcomes, the weight and the fold, if any, of a row."""
        width = len(self.offsets) + self._n_numbers + len(self.centre) + 1
        return width + (self.folds is not None)

    # The disk.

    @property
    def n_bytes(self):
        """Bytes of all rows as they are written first."""
        return 4 * self._width * self.n_rows

    def _new_file(self):
        return tempfile.TemporaryFile(prefix="skembed-", dir=self.folder)

    def _write(self, file, matrix):
        try:
            file.write(np.ascontiguousarray(matrix).data)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._full() from error
            raise

    def _refuse_small_disk(self):
        if shutil.disk_usage(self.folder).free < self.n_bytes:
            raise self._full()

    def _full(self):
        return OSError(
            errno.ENOSPC,
            f"The codes of {self.n_rows} rows need {self.n_bytes / 1e6:.0f} MB in the "
            f"folder {self.folder}, which has not so much room. Set the environment "
            "variable TMPDIR to a folder on a larger disk.",
        )


def _side_by_side(codes, reals):
    """Codes and some blocks of real numbers as one matrix of 4 bytes a cell."""
    reals = [part[:, None] if part.ndim == 1 else part for part in reals]
    n = codes.shape[1]
    out = np.empty((len(codes), n + sum(part.shape[1] for part in reals)), WHOLE)
    out[:, :n] = codes
    np.concatenate(reals, axis=1, out=out[:, n:].view(REAL), casting="unsafe")
    return out

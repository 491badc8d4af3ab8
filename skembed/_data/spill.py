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

    blend, offset, n_shards = None, None, 1

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


class Spill:
    """Rows on their way to the disk: coded, put into buckets, and merged there.

    A context manager: when it is left by an error, nothing stays on the disk.

    Parameters
    ----------
    fitted : Fitted
        Its encoder, and the units of its output, are those of the rows.
    n_rows : int
        Rows that are to come.
    """

    def __init__(self, fitted, n_rows):
        self.encoder, self.likelihood = fitted.encoder, fitted.likelihood
        self.offsets = fitted.offsets.astype(WHOLE)
        self.centre, self.scale = fitted.centre, fitted.scale
        self.n_rows = n_rows
        wanted = n_rows / rows_at_once(settings.BUCKET_ROWS, self._width)
        wanted = max(1.0, wanted)
        self.bits = int(min(np.ceil(np.log2(wanted)), np.log2(settings.MAX_BUCKETS)))
        self.folder = tempfile.gettempdir()
        self.files, self.made = [], None

    def __enter__(self):
        return self

    def __exit__(self, kind, *args):
        for file in self.files:
            file.close()
        if kind is not None and self.made is not None:
            self.made.close()

    def run(self, parts):
        """Write all rows, `Samples` after `Samples`; returns merged rows and counts.

        Returns
        -------
        rows : SpilledRows
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
        return self._merged(n_given), np.concatenate([*counts, *of_bins])

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
        if not self.bits:
            return matrix, [len(matrix)], bins
        numbers = matrix[:, codes.shape[1] :][:, : self._n_numbers].view(REAL)
        bucket = row_hash([codes, numbers]) >> np.uint64(64 - self.bits)
        bucket = bucket.astype(np.uint8)
        order = np.argsort(bucket, kind="stable")
        ends = np.cumsum(np.bincount(bucket, minlength=2**self.bits))
        return np.take(matrix, order, axis=0), ends, bins

    def _merged(self, n_given):
        """All rows in one file, bucket after bucket, equal rows merged."""
        made, n_rows, total, head = self._new_file(), 0, 0.0, None
        self.made = made
        for rows in ahead(self._of_bucket, list(self.files)):
            head = Rows(*(part[:0] for part in rows[:4]), n_given)
            n_rows += len(rows.weights)
            total += rows.total
            self._write(made, _side_by_side(rows.codes, rows[1:4]))
        made.flush()
        return SpilledRows(head, made, n_rows, total, n_given)

    def _of_bucket(self, file):
        """The merged rows of a bucket, which is removed."""
        file.flush()
        file.seek(0)
        n_codes, n_numbers = len(self.offsets), self._n_numbers
        found = np.fromfile(file, WHOLE).reshape(-1, self._width)
        file.close()
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
        """Codes, numbers, outcomes and the weight of a row."""
        return len(self.offsets) + self._n_numbers + len(self.centre) + 1

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

"""Those who train one network together, each with its part of every batch.

All have the whole table and all weights, and make the same steps. So between the
gradients of a part and the step there are sums over all parts, and no more: of the
dense weights as they are, and of the table only the rows that somebody has touched.
"""

import pickle
import re
from contextlib import contextmanager, suppress
from functools import cache, cached_property

import numpy as np
import tensorflow as tf

from .. import _settings as settings
from .._training.checkpoint import SharedKeeper, kept_batch_size
from . import sparse


class ProcessLost(RuntimeError):
    """Another process of a fit cannot be reached any more."""


class Nobody:
    """Nobody else: batches are not shared, and sums are those of this process."""

    n = 1

    def run(self, step, *args):
        """Make a step."""
        return step(*args)

    def met(self, touched, use, sums, most):
        """The rows of the table that all parts touch, and their sums over all parts.

        Parameters
        ----------
        touched : tensor of shape (n,)
            Positions of the rows that this part touches, each once.
        use : tensor
            Positions among these.
        sums : tuple of tensors of shape (n, ...)
        most : tensor
            Rows of the table that any part touches, in any step of this call, at most.

        Returns
        -------
        touched, use, sums
            The same of all parts; `use` is that of this part still.
        """
        return touched, use, sums

    def summed(self, dense, loss, by_row, most):
        """Sums over all parts of a batch.

        Parameters
        ----------
        dense : tuple of tensors
        loss : scalar tensor
        by_row : tensor of shape (n,), or (0,)
            Values of the rows of the table that `met` gave.
        most : tensor
            As in `met`.
        """
        return dense, loss, by_row

    def most_touched(self, codes, order, sizes):
        """Rows of the table that any part touches in any step, at most."""
        return 0

    def agreed(self, values):
        """An array that all have computed, as all have it to the last bit."""
        return values

    def keeping(self, keeper):
        """What keeps the state of the fit, or None."""
        return keeper


NOBODY = Nobody()


class Group:
    """The processes that TF_CONFIG names, over the collectives of TensorFlow.

    All of them call the same methods in the same order.

    Parameters
    ----------
    n_threads : int, default=None
        Of this process, for its part of the work; None: one for each core.

    Attributes
    ----------
    rank : int
        Place of this process among them.
    n : int
    addresses : list of str
        Of all of them.
    sent : tf.Variable
        Bytes that this process has handed to the others in steps so far.
    """

    @classmethod
    @cache
    def here(cls, n_threads=None):
        """That of this process: TensorFlow lets it meet the others once."""
        return cls(n_threads)

    def __init__(self, n_threads=None):
        # On other devices sums may come out otherwise in every process, and the copies
        # of the table would drift apart.
        tf.config.set_visible_devices([], "GPU")
        if n_threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(n_threads)
        ring = tf.distribute.experimental.CommunicationImplementation.RING
        options = tf.distribute.experimental.CommunicationOptions(implementation=ring)
        self.strategy = tf.distribute.MultiWorkerMirroredStrategy(
            communication_options=options
        )
        resolver = self.strategy.cluster_resolver
        cluster = resolver.cluster_spec().as_dict()
        chief = cluster.get("chief", [])  # as some launchers call the first of them
        self.addresses = [*chief, *cluster.get("worker", [])]
        self._n_workers = len(self.addresses) - len(chief)
        self.rank = resolver.task_id or 0
        self.rank += len(chief) * (resolver.task_type == "worker")
        self.n = self.strategy.num_replicas_in_sync
        self.sent = tf.Variable(0, dtype=tf.int64)

    # Parts of a traced step.

    def run(self, step, *args):
        """Make a step; collectives are allowed in it."""
        return self.strategy.run(step, args)

    def summed(self, dense, loss, by_row, most):
        """Sums over all parts of a batch, in one message."""
        n_rows = tf.size(by_row)
        own = [*(tf.reshape(part, [-1]) for part in dense), loss[None], by_row]
        if by_row.shape[0] != 0:  # as in `met`
            own[-1] = _padded(by_row, self.n * most, 0.0)
        sizes = tf.stack([tf.size(part) for part in own])
        own = tf.concat(own, 0)
        self._count(own)
        total = _here().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))
        *found, loss, by_row = tf.split(total, sizes, num=len(dense) + 2)
        for i, part in enumerate(dense):
            found[i] = tf.reshape(found[i], tf.shape(part))
            found[i].set_shape(part.shape)
        return tuple(found), loss[0], by_row[:n_rows]

    def met(self, touched, use, sums, most):
        """The rows of the table that all parts touch, and their sums over all parts."""
        widths = [part.shape[1] for part in sums]
        # Within a call a collective has one shape. What fills it up is a row that is
        # touched anyway, and adds nothing.
        at = _padded(touched, most, touched[0])
        own = _padded(tf.concat(sums, 1), most, 0.0)
        # Numbers of rows travel beside the sums, bit by bit.
        own = tf.concat([tf.bitcast(at, tf.float32)[:, None], own], 1)
        self._count(own)
        all_ = _here().all_gather(tf.identity(own), axis=0)
        all_.set_shape([None, 1 + sum(widths)])
        at = tf.bitcast(all_[:, 0], tf.int32)
        union, place = tf.unique(at)
        # Added in the order of the parts: the same bits in every process.
        total = sparse.of_groups(place, tf.size(union)).times(all_[:, 1:])
        total.set_shape([None, sum(widths)])
        use = tf.gather(place[self.rank * most :], use)
        return union, use, tf.split(total, widths, axis=1)

    def _count(self, sent):
        self.sent.assign_add(tf.cast(4 * tf.size(sent), tf.int64))

    # Between steps.

    def most_touched(self, codes, order, sizes):
        """Rows of the table that any part touches in any step, at most.

        Parameters
        ----------
        codes : ndarray of int32 of shape (n_rows, n_columns)
        order : ndarray of shape (n_steps, batch)
        sizes : list of int
            Rows of the table of each column.
        """
        sizes = np.array(sizes)
        # Counting takes time: a column of few rows of the table may well be all of it.
        large = np.flatnonzero(sizes > order.shape[1] // 4)
        most, last = 0, np.empty(sizes.sum(), np.int32)
        place = np.arange(order.shape[1], dtype=np.int32)
        for rows in order:
            n = 0
            for column in large:
                own = codes[rows, column]
                last[own] = place  # one use of each row of the table is its last one
                n += np.count_nonzero(last[own] == place)
            most = max(most, n)
        most += sizes.sum() - sizes[large].sum()
        return int(self._all_gather(np.array([most], np.int32)).max())

    def least(self, n):
        """The least of the numbers of all processes."""
        return int(self._all_gather(np.array([n], np.int32)).min())

    def agreed(self, values):
        """An array of float32 that all have computed: that of the first process."""
        all_ = self._all_gather(values.view(np.int32))
        return all_[: len(values)].view(np.float32)

    @contextmanager
    def watching(self):
        """Say which process is gone, where what is done in here ends by that."""
        try:
            yield
        except tf.errors.OpError as error:
            if "ollective" not in error.message:
                raise
            job = re.search(r"/job:(\w+)/replica:0/task:(\d+)", error.message)
            lost = "Another one"
            if job is not None:
                rank = int(job[2])
                rank += (job[1] == "worker") * (len(self.addresses) - self._n_workers)
                lost = f"Process {rank} ({self.addresses[rank]})"
            raise ProcessLost(
                f"{lost} of the {self.n} processes of this fit cannot be reached any "
                "more: it has ended by an error of its own or was killed, or the "
                "network failed. With a Checkpoint among the callbacks, fitting again "
                "in all of them goes on from it."
            ) from error

    def keeping(self, keeper):
        """What keeps the state of the fit, or None."""
        return None if keeper is None else SharedKeeper(keeper, self)

    def kept_batch_size(self, estimator):
        """Rows of a batch of the fit that goes on; None where one begins."""
        kept = None if self.rank else kept_batch_size(estimator.callbacks)
        return self.gathered(kept)[0]

    def gathered(self, value):
        """What every process has, in the order of the processes; any object."""
        own = np.frombuffer(pickle.dumps(value, protocol=5), np.uint8)
        sizes = self._all_gather(np.array([len(own)], np.int32))
        own = np.append(own, np.zeros(-len(own) % 4, np.uint8)).view(np.int32)
        parts = [[] for _ in sizes]
        step = settings.MESSAGE_BYTES // 4
        for start in range(0, -(-int(sizes.max()) // 4), step):
            found = self._all_gather(own[start : start + step])
            lengths = np.clip(-(-sizes // 4) - start, 0, step)
            for part, one in zip(
                parts, np.split(found, np.cumsum(lengths)[:-1]), strict=True
            ):
                part.append(one)
        return [
            pickle.loads(np.concatenate(part).tobytes()[:size])
            for part, size in zip(parts, sizes, strict=True)
        ]

    def wait_for_all(self):
        """Wait until all have come here, before this process may end."""
        # One that has gone on, and ended, has heard of all.
        with suppress(tf.errors.OpError):
            self.gathered(None)

    @cached_property
    def _all_gather(self):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)], autograph=False)
        def gather(own):
            def of_one(own):
                return _here().all_gather(tf.identity(own), axis=0)

            return self.strategy.run(of_one, (own,))

        return lambda own: gather(tf.constant(own)).numpy()


def _padded(values, n, by):
    """Values, and so much of `by` below them that they are `n`."""
    n_more = n - tf.shape(values)[0]
    fill = tf.fill(tf.concat([[n_more], tf.shape(values)[1:]], 0), by)
    return tf.concat([values, fill], 0)


def _here():
    return tf.distribute.get_replica_context()

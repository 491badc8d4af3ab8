"""Files that are there whole or not at all.

A file is written beside its place, under a name of its own, and moved there when all of
it is on the disk. Whatever goes wrong before that (an error, a full disk, a
process that is killed) leaves what was there as it was. Only a killed process leaves
its unfinished file behind: hidden, ``.skembed-...tmp``, and never read by anything.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

__all__ = ["whole_file", "whole_files"]

# Errors of file systems that have no fsync.
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}


@contextlib.contextmanager
def whole_file(path):
    """Open one file for writing bytes; see `whole_files`."""
    with whole_files(path) as (file,):
        yield file


@contextlib.contextmanager
def whole_files(*paths):
    """Open files for writing bytes that take their places together, at the end.

    They are moved in the order given, so a file that names the others comes last. A
    link is followed: the file that it leads to is replaced, the link stays. The
    permissions of a file that is replaced are kept and, where this user may hand files
    over, its owner. What is no plain file, such as a pipe, is written to directly.

    Parameters
    ----------
    *paths : path-like
        The places. None of them is touched before the block has ended well.

    Yields
    ------
    files : list of binary files
        One for each path.

    Raises
    ------
    OSError
        With the name of the place: if it is a folder or write-protected, or no file
        can be made beside it.
    """
    places = [_Place(path) for path in paths]  # all that can be refused at once
    try:
        yield [place.open() for place in places]
        for place in places:
            place.finish()
        for place in places:
            place.take()
    finally:
        for place in places:
            place.clean()
    for folder in {place.folder for place in places if place.beside}:
        _sync_folder(folder)


class _Place:
    """Where a file shall be, and the unfinished file beside it."""

    def __init__(self, path):
        self.path = Path(path)
        self.file = None
        try:
            self.old = os.stat(self.path)  # of what a link leads to
        except FileNotFoundError:
            self.old = None
        if self.old is not None and stat.S_ISDIR(self.old.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        is_plain = self.old is None or stat.S_ISREG(self.old.st_mode)
        self.real = Path(os.path.realpath(self.path)) if is_plain else self.path
        self.folder = self.real.parent
        name = f".skembed-{secrets.token_hex(8)}.tmp"
        self.beside = self.folder / name if is_plain else None
        # Replacing a file takes no permission to write to it: ask for it here.
        as_who = (
            {"effective_ids": True} if os.access in os.supports_effective_ids else {}
        )
        if self.old is not None and not os.access(self.real, os.W_OK, **as_who):
            raise OSError(errno.EACCES, "The file is write-protected", str(path))

    def open(self):
        if self.beside is None:
            self.file = self.path.open("wb")
            return self.file
        # Who may not read the old file may not read the new one either.
        mode = 0o666 if self.old is None else 0o600
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            self.file = os.fdopen(os.open(self.beside, flags, mode), "wb")
        except OSError as error:
            why = f"{error.strerror} (a file is made in its folder, and then moved)"
            raise OSError(error.errno, why, str(self.path)) from error
        return self.file

    def finish(self):
        """Write all of it to the disk, with the permissions of the old file."""
        self.file.flush()
        if self.beside is None:
            self.file.close()
            return
        try:
            os.fsync(self.file.fileno())
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
        self.file.close()
        if self.old is None:
            return
        with contextlib.suppress(OSError):  # it keeps the permissions it was made with
            if hasattr(os, "chown"):
                with contextlib.suppress(PermissionError):
                    os.chown(self.beside, self.old.st_uid, self.old.st_gid)
            os.chmod(self.beside, stat.S_IMODE(self.old.st_mode))

    def take(self):
        if self.beside is not None:
            os.replace(self.beside, self.real)

    def clean(self):
        """Remove a file that was not moved to its place."""
        if self.file is not None:
            with contextlib.suppress(OSError):  # a full disk is still full
                self.file.close()
        if self.beside is not None:
            with contextlib.suppress(OSError):  # it has moved, or was never made
                os.unlink(self.beside)


def _sync_folder(folder):
    """Write the new names to the disk, where a folder can be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

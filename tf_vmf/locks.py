"""A file lock that names its holder and is released when the process dies."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import time
import weakref
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# What flock answers on file systems without locks: NFS without its lock service, some parallel and FUSE file systems.
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
# Without flock, two processes that write at the same moment find out by reading again after this many seconds.
_SETTLING_SECONDS = 1.0


class LockHeldError(RuntimeError):
    """Another process holds the lock."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock."""

    host: str  # name of its machine
    pid: int  # its number there
    since: str  # when it took the lock, in ISO 8601
    birth: str  # identifies the process among those that ever have the same number; "" where the system does not tell

    @classmethod
    def this_process(cls) -> Holder:
        """The present process, from now on."""
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(socket.gethostname(), os.getpid(), now, _birth(os.getpid()))

    def may_be_alive(self) -> bool:
        """False only if the process certainly has ended. Of other machines nothing is known."""
        if self.host != socket.gethostname() or os.name != "posix":
            return True
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # a process of another user
            pass
        return _birth(self.pid) == self.birth

    def __str__(self) -> str:
        return f"process {self.pid} on host {self.host} since {self.since}"


class FileLock:
    """An exclusive lock on a file, taken without waiting and held until the `with` block ends or the process dies.

    The operating system keeps the lock (`flock`), so it ends with the process however the process ends: there is nothing stale to
    remove. That holds between machines too on network file systems that pass locks on (NFS with its lock service, CephFS, GPFS,
    Lustre mounted with `flock`). The file names the holder, for the message to others; it is emptied when the lock is released,
    or removed with `remove=True`.

    On file systems without locks the content of the file decides: a holder on the same machine counts as long as its process
    lives, one on another machine until its file is removed by hand, which the message says.

    The same object may be entered several times; the last exit releases the lock.

    ```python
    with tf_vmf.locks.FileLock("runs/20ng/run.lock"):
        ...  # no other process is here
    ```

    Args:
        path: The file; made if missing, like its folder.
        subject: What the lock protects, for the message: "Folder runs/20ng".
        remedy: A sentence about what to do, for the message.
        remove: Whether the file goes when the lock is released.

    Raises:
        LockHeldError: On entering: another process holds the lock, or another `FileLock` in this one. The message names it.
    """

    def __init__(
        self, path: str | Path, subject: str = "", remedy: str = "Wait until it ends.", *, remove: bool = False
    ) -> None:
        self.path = Path(path)
        self.subject = subject or f"File {self.path}"
        self.remedy = remedy
        self.remove = remove
        self._handle: int | None = None
        self._depth = 0

    def __enter__(self) -> FileLock:
        if self._depth == 0:
            self._acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0 and self._handle is not None:
            os.ftruncate(self._handle, 0)
            if self.remove:
                with contextlib.suppress(OSError):  # Windows removes no open file
                    self.path.unlink()
            self._close()

    def _acquire(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._open_and_lock()
        while self.remove and not self._is_current():  # the last holder removed the file after it was opened here
            self._close()
            self._open_and_lock()
        _LOCKS.add(self)

    def _open_and_lock(self) -> None:
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if _flock(self._handle):
                _write(self._handle, Holder.this_process())
            else:
                self._acquire_by_content(self._handle)
        except BlockingIOError:
            holder = _read_soon(self._handle)
            self._close()
            raise LockHeldError(f"{self.subject} is in use by {holder or 'another process'}. {self.remedy}") from None
        except BaseException:
            self._close()
            raise

    def _is_current(self) -> bool:
        """True if the open file is still the one at the path."""
        assert self._handle is not None
        try:
            return os.path.samestat(os.fstat(self._handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _acquire_by_content(self, handle: int) -> None:
        holder, this = _read(handle), Holder.this_process()
        if holder is None or not holder.may_be_alive():
            _write(handle, this)
            time.sleep(_SETTLING_SECONDS)
            holder = _read(handle)
            if holder == this:
                return
        raise LockHeldError(
            f"{self.subject} is in use by {holder}, as its file {self.path.name} says. {self.remedy} If that process has ended, "
            f"remove {self.path}: this file system has no locks that would end with a process."
        )

    def _close(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _forget(self) -> None:
        # The lock belongs to the open file, which a forked child shares: one that outlives its parent would go on holding it.
        self._depth = 0
        with contextlib.suppress(OSError):
            self._close()


_LOCKS: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_LOCKS):
        lock._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def _flock(handle: int) -> bool:
    """Locks an open file; False where the file system cannot.

    Raises:
        BlockingIOError: Another open file holds the lock.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        if error.errno == errno.EACCES:  # NFS says so
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
        raise
    return True


def _write(handle: int, holder: Holder) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, (json.dumps(asdict(holder)) + "\n").encode(), 0)
    os.fsync(handle)


def _read(handle: int) -> Holder | None:
    try:
        content: dict[str, Any] = json.loads(os.pread(handle, 4096, 0))
        return Holder(**content)
    except (ValueError, TypeError):
        return None


def _read_soon(handle: int) -> Holder | None:
    """Reads the holder, who may have locked the file and not yet written to it."""
    for _ in range(20):
        if (holder := _read(handle)) is not None:
            return holder
        time.sleep(0.02)
    return None


def _birth(pid: int) -> str:
    """The boot of the machine and the time after it at which a process started; "" where there is no /proc (not Linux)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # The second field, the name of the program in parentheses, may hold spaces. Start is the 22nd.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return f"{boot}:{fields[19]}"
    except OSError:
        return ""

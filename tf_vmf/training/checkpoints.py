"""Checkpoint files: complete or absent, the last few kept, an unreadable one skipped."""

import errno
import json
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from tf_vmf._checks import check_integer
from tf_vmf.files import PARTIAL, no_room, remove_leftovers, sha256_of_file

_HASHES = ".sha256.json"
_NAME = re.compile(r"epoch-(\d+)(?:-step-(\d+))?\.index")


class Checkpoints:
    """The checkpoints of one run, named by the training steps before them: `epoch-3` after three epochs, `epoch-3-step-120` 120
    steps into the fourth.

    A checkpoint is written in a folder of its own and moved when it is complete, so a process killed at any moment, or a full
    disk, leaves the earlier ones intact. The names alone tell which one is the newest; there is no index that could disagree
    with them.

    Args:
        objects: What is saved.
        folder: Where checkpoints go.
        keep: Number of checkpoints kept.
        writes: False for all but one of several workers. Their `save` reads the variables, since a variable that is spread over
            the workers must be read by all of them, and keeps nothing.
    """

    def __init__(self, objects: tf.train.Checkpoint, folder: str | Path, keep: int = 3, writes: bool = True) -> None:
        self.folder = Path(folder)
        self.keep = check_integer("Checkpoints", "keep", keep, minimum=1)
        self.writes = writes
        self._objects = objects
        _ = objects.save_counter  # exists from here on: `restore` expects it in every file
        self._unreadable: list[str] = []

    def names(self) -> list[str]:
        """The names of the checkpoints, oldest first."""
        found = [_NAME.fullmatch(path.name) for path in self.folder.glob("epoch-*.index")]
        matches = sorted((match for match in found if match), key=lambda m: (int(m[1]), int(m[2] or 0)))
        return [match[0].removesuffix(".index") for match in matches]

    def save(self, epochs: int, steps: int = 0) -> None:
        """Saves after `epochs` complete epochs and `steps` steps of the next one.

        Raises:
            OSError: The checkpoint could not be written; the earlier ones are intact.
        """
        name = f"epoch-{epochs}-step-{steps}" if steps else f"epoch-{epochs}"
        temporary: Path | None = None
        try:
            if self.writes:
                self.folder.mkdir(parents=True, exist_ok=True)
                temporary = Path(tempfile.mkdtemp(prefix=PARTIAL, dir=self.folder))
            else:
                temporary = Path(tempfile.mkdtemp(prefix="tf_vmf-"))
            self._objects.write(str(temporary / name))
            if self.writes:
                written = sorted(path.name for path in temporary.glob(f"{name}.*"))
                hashes = {each: sha256_of_file(temporary / each) for each in written}
                (temporary / f"{name}{_HASHES}").write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")
                # The index last: files without one are no checkpoint.
                files = sorted(
                    (path for path in temporary.iterdir() if path.is_file()), key=lambda p: p.suffix == ".index"
                )
                for file in files:
                    _sync(file)
                    file.replace(self.folder / file.name)
                _sync(self.folder)
        except (OSError, tf.errors.OpError) as error:
            left = [each for each in self.names() if each not in self._unreadable]
            lack = no_room(error)
            cause = lack.strerror if lack is not None else getattr(error, "message", None) or error
            raise OSError(
                (lack or error).errno if isinstance(lack or error, OSError) else errno.EIO,
                f"Checkpoint {name} could not be written: {cause}. "
                f"{f'The one before, {left[-1]}, is intact' if left else 'There is none before it'}. Free space or restore the "
                "folder and repeat the command: it goes on from there",
                str(self.folder),
            ) from error
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
        if self.writes:
            self._prune(name)

    def restore(self, check: Callable[[], None] = lambda: None) -> str | None:
        """Restores the newest checkpoint that can be read and returns its name; None if there are no checkpoints.

        Args:
            check: Called after a checkpoint was read; by any exception it rejects the checkpoint, and the one before is tried.

        Raises:
            ValueError: There are checkpoints, and none of them can be read or fits.
        """
        failures: list[str] = []
        if self.writes:
            remove_leftovers(self.folder)
        for name in reversed(self.names()):
            try:
                self._check_hashes(name)
                # Expects every variable of this model in the file, and everything in the file in this model.
                self._objects.restore(str(self.folder / name)).assert_consumed()
                check()
            except Exception as error:  # the reader of damaged files raises of every kind, IndexError among them
                failures.append(f"{name}: {_first_line(error)}")
                self._unreadable.append(name)
                continue
            for failure in failures:
                warnings.warn(
                    f"A checkpoint cannot be read and is skipped; {failure}. Going on from {name}.", stacklevel=2
                )
            return name
        if failures:
            raise ValueError(
                f"None of the {len(failures)} checkpoints in {self.folder} can be restored: they are damaged, or of another model. "
                "Give a new workdir to start over; these files are kept. Received:\n  " + "\n  ".join(failures)
            )
        return None

    def _prune(self, newest: str) -> None:
        # Unreadable ones are removed first, and only now that a readable one has taken their place.
        bad = [name for name in self._unreadable if name != newest]
        self._unreadable.clear()
        good = [name for name in self.names() if name not in bad]
        for name in [*bad, *good[: -self.keep]]:
            # The index first: files without an index are no checkpoint.
            (self.folder / f"{name}.index").unlink(missing_ok=True)
            for file in [*self.folder.glob(f"{name}.data-*"), self.folder / f"{name}{_HASHES}"]:
                file.unlink(missing_ok=True)

    def _check_hashes(self, name: str) -> None:
        """A ValueError where a file is not what was written, by its SHA-256. Checkpoints of version 0.2 have none."""
        file = self.folder / f"{name}{_HASHES}"
        if not file.exists():
            return
        for each, expected in json.loads(file.read_text(encoding="utf-8")).items():
            if sha256_of_file(self.folder / each) != expected:
                raise ValueError(f"{each} is not what was saved: its SHA-256 differs from that in {file.name}")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]

"""The folder of one run: the names of its files, whose run it is, and its lock."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tf_vmf._errors import MissingPlaceError
from tf_vmf.files import PARTIAL, read_json, write_json
from tf_vmf.locks import FileLock

if TYPE_CHECKING:
    from tf_vmf.training.strategies import Workers

_LOCK = "run.lock"


class Workdir:
    """The folder of one run and the names of its files. The constructor touches nothing.

    `Workdir.open` creates or reopens the folder of a run and holds its lock:

    ```python
    documents = tf_vmf.data.Documents(np.random.default_rng(0).poisson(0.5, (100, 20)))
    model = tf_vmf.models.BagOfWordsVAE(20, tf_vmf.layers.VonMisesFisherLatent(3, concentration=20.0))
    model.compile("adam")
    with tf_vmf.training.Workdir.open("runs/counts", {"latent_dim": 3, "seed": 0}) as workdir:
        state = tf_vmf.training.fit(
            model,
            workdir,
            lambda step: documents.batches(50, seed=0, start_step=step),
            documents.steps_per_epoch(50),
            documents.evaluation_batches(50),
            epochs=2,
        )
    ```

    `Workdir(path)` is for those who read the files, or train a single time.

    Args:
        path: The folder.

    Attributes:
        path: The folder.
        config_file: JSON: the configuration of the run.
        history_file: CSV: the metrics of every epoch.
        metrics_file: JSON: the metrics of the trained model. It exists when the run is complete, and only then.
        model_file: Keras file: the trained model, with the weights of the best epoch.
        vectorizer_file: JSON: the layer that turns text into the model's input.
        report_file: HTML: the report.
        findings_file: JSON: the findings that the report shows.
        checkpoints: Folder of the checkpoints and of the best weights.
        config: The configuration that `open` was called with, as JSON holds it (tuples are lists); None without `open`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.history_file = self.path / "history.csv"
        self.metrics_file = self.path / "metrics.json"
        self.model_file = self.path / "model.keras"
        self.vectorizer_file = self.path / "vectorizer.json"
        self.report_file = self.path / "report.html"
        self.findings_file = self.path / "findings.json"
        self.checkpoints = self.path / "checkpoints"
        self.config: dict[str, Any] | None = None
        self._lock = FileLock(self.path / _LOCK, f"Folder {self.path}", "Wait until it ends, or give another workdir.")

    @classmethod
    @contextmanager
    def open(
        cls,
        path: str | Path,
        config: Mapping[str, Any],
        *,
        may_change: Collection[str] = (),
        workers: Workers | None = None,
    ) -> Iterator[Workdir]:
        """Creates the folder of a run, or reopens it if it belongs to the same run; holds its lock until the block ends.

        `config.json` says which run the folder belongs to. Another configuration is refused before anything is written, so
        that no command overwrites the results of another.

        Args:
            path: The folder; made if missing.
            config: What defines the run: a mapping that JSON can hold.
            may_change: Names in `config` that do not define the run, such as the number of epochs or the place of a file
                whose content has its fingerprint in `config`. They are recorded in `config.json` and not compared.
            workers: The processes of the run, each of which calls this. The first one holds the lock and writes.

        Raises:
            ValueError: The folder belongs to a run with another configuration, or holds files of something else.
            LockHeldError: Another process uses the folder; the message names its host and number.
        """
        workdir = cls(path)
        workdir.config = json.loads(json.dumps(config))
        if workers is not None and not workers.is_chief:
            workers.wait_for_all()  # the first worker has written config.json
            workdir._check(may_change)
            yield workdir
            return
        workdir._check(may_change)
        with workdir.lock():
            if workdir._check(may_change):  # again: another run may have taken the folder before it was locked
                write_json(workdir.config_file, workdir.config)
            if workers is not None:
                workers.wait_for_all()
            yield workdir

    @classmethod
    def look_at(cls, path: str | Path, config: Mapping[str, Any], *, may_change: Collection[str] = ()) -> Workdir:
        """The folder of a run that is complete, to be read only; checked as by `open`, and neither locked nor changed.

        Raises:
            ValueError: The folder belongs to a run with another configuration.
        """
        workdir = cls(path)
        workdir.config = json.loads(json.dumps(config))
        workdir._check(may_change)
        return workdir

    def lock(self) -> AbstractContextManager[FileLock]:
        """The lock of the run, to be entered; it may be entered again where this object holds it already.

        Raises:
            LockHeldError: On entering: another process uses the folder.
        """
        return self._lock

    def check_unlocked(self) -> None:
        """Fails now rather than in `open`, for programs that have long work to do before: reading a corpus, say.

        Raises:
            LockHeldError: Another process uses the folder.
        """
        if (self.path / _LOCK).exists() and not self.is_read_only:
            with self._lock:
                pass

    @property
    def is_read_only(self) -> bool:
        """True if the folder exists and nothing can be written to it."""
        return self.path.is_dir() and not os.access(self.path, os.W_OK)

    def check_there(self) -> None:
        """Fails where the folder was removed while a run holds its lock, before anything is written to it again.

        Raises:
            FileNotFoundError: It was removed.
        """
        if not (self.path / _LOCK).exists():
            raise MissingPlaceError("the folder of the run", self.path, "which was removed while the run went on")

    @property
    def has_started(self) -> bool:
        """True if there is a checkpoint, from which a run goes on: initial weights then do not count."""
        return any(self.checkpoints.glob("*.index"))

    def recorded_config(self) -> dict[str, Any] | None:
        """The content of `config.json`; None if there is no such file.

        Raises:
            ValueError: It is damaged.
        """
        if not self.config_file.exists():
            return None
        return read_json(self.config_file, "Restore it from a copy, or give another workdir.")

    def record_config(self) -> None:
        """Writes what has changed in the configuration, once the run has agreed to go on with it."""
        if self.config is not None and self.config != self.recorded_config():
            write_json(self.config_file, self.config)

    def set_results_aside(self) -> None:
        """Moves what an earlier end of the run has written to `earlier_results/N`, before training goes on."""
        files = (self.metrics_file, self.model_file, self.report_file, self.findings_file)
        results = [file for file in files if file.exists()]
        if not results:
            return
        earlier = self.path / "earlier_results"
        folder = earlier / str(1 + sum(1 for _ in earlier.glob("[0-9]*")))
        folder.mkdir(parents=True)
        for file in results:  # metrics.json, which tells that a run is complete, is the first to go
            file.replace(folder / file.name)

    def _check(self, may_change: Collection[str]) -> bool:
        """True for a new folder; a ValueError for another run's, or one with files of something else."""
        # Listed before config.json is looked for: another worker of the run may write it at any moment.
        names = [each.name for each in self.path.iterdir()] if self.path.exists() else []
        recorded = self.recorded_config()
        if recorded is not None:
            _check_same(self.path, recorded, self.config or {}, may_change)
            return False
        if not all(name.startswith(PARTIAL) or name == _LOCK for name in names):
            raise ValueError(
                f"Folder {self.path} is not empty and holds no config.json, so it is not the folder of a run. "
                "Give a new or an empty folder as workdir."
            )
        return True


def _check_same(
    path: Path, recorded: Mapping[str, Any], config: Mapping[str, Any], may_change: Collection[str]
) -> None:
    there, here = (
        dict(_flat({name: value for name, value in each.items() if name not in may_change}))
        for each in (recorded, config)
    )
    names = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
    if names:
        differences = "\n".join(f"  {name}: {there.get(name)!r} there, {here.get(name)!r} here" for name in names)
        raise ValueError(
            f"Folder {path} belongs to a run with another configuration:\n{differences}\n"
            "Give another workdir, or repeat the command that made this one in order to resume it."
        )


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The entries of a configuration, those of mappings within it by names such as "data.train.sha256"."""
    for name, value in config.items():
        if value and isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value

"""The folder of one run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_vmf.files import PARTIAL, write_json


class Workdir:
    """The folder of one run and the names of its files.

    `config.json` says which run the folder belongs to. The same configuration resumes it; another one is refused, so that no
    command overwrites the results of another. Workers of a run that share a configuration may make theirs at the same time.

    Args:
        path: The folder; made if missing.
        config: What defines the run: a mapping that JSON can hold.

    Raises:
        ValueError: The folder belongs to a run with another configuration, or holds files of something else.
    """

    def __init__(self, path: str | Path, config: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.config_file = self.path / "config.json"
        self.history_file = self.path / "history.csv"
        self.metrics_file = self.path / "metrics.json"
        self.model_file = self.path / "model.keras"
        self.vectorizer_file = self.path / "vectorizer.json"
        self.report_file = self.path / "report.html"
        self.checkpoints = self.path / "checkpoints"
        config = json.loads(json.dumps(config))  # what a reader of the file will see: tuples become lists
        # Listed before config.json is looked for: another worker of the run may write it at any moment.
        self.path.mkdir(parents=True, exist_ok=True)
        is_empty = all(each.name.startswith(PARTIAL) for each in self.path.iterdir())
        if self.config_file.exists():
            _check_same(self.path, json.loads(self.config_file.read_text(encoding="utf-8")), config)
        elif not is_empty:
            raise ValueError(
                f"Folder {self.path} is not empty and holds no config.json, so it is not the folder of a run. "
                "Give --workdir a new or an empty folder."
            )
        else:
            write_json(self.config_file, config)


def _check_same(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if names:
        differences = "\n".join(f"  {name}: {found.get(name)!r} there, {wanted.get(name)!r} here" for name in names)
        raise ValueError(
            f"Folder {path} belongs to a run with another configuration:\n{differences}\n"
            "Give --workdir another folder, or repeat the command that made this one in order to resume it."
        )

"""The version of the package."""

from __future__ import annotations

import subprocess
from pathlib import Path

__version__ = "0.3.0"


def checkout_commit() -> str | None:
    """The commit of the git checkout from which the package runs, with "+changes" where files of it differ; None elsewhere."""
    root = Path(__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "tf_vmf", "trainers", "flags")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None

"""Installs the wheel in a fresh environment of every supported Python that is found, trains a model there and reloads it.

    python -m tools.test_wheels              # python3.11, python3.12, python3.13: those on the PATH or in pyenv

The interpreter that runs this is left out: the test suite has run on it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
_RELOAD = """
import sys, tf_vmf, keras
model, vectorizer = tf_vmf.models.load(sys.argv[1])
print(type(keras.saving.load_model(sys.argv[1] + "/model.keras")).__name__, model.encode(vectorizer(["moon"])).event_shape)
"""


def interpreters() -> list[str]:
    """One interpreter of each supported version but this one, from the PATH or installed by pyenv."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in VERSIONS:
        candidates = [f"python{version}", *map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}")))]
        working = [candidate for candidate in candidates if _works(candidate)]
        if version != own and working:
            found.append(working[0])
    return found


def _works(interpreter: str) -> bool:
    """Whether a command is there and runs; a shim may be there for a version that is not active."""
    command = [interpreter, "-c", "import ensurepip, venv"]
    return (
        shutil.which(interpreter) is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def check(interpreter: str, wheel: Path, folder: Path) -> None:
    """Trains and reloads a model with a fresh environment of an interpreter."""
    name = Path(interpreter).name
    environment, text = folder / name, folder / "text.txt"
    subprocess.run([interpreter, "-m", "venv", environment], check=True)
    subprocess.run([environment / "bin" / "python", "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    text.write_text("\n".join(["moon orbit planet star", "bread flour oven yeast"] * 40), encoding="utf-8")
    run = folder / f"run-{name}"
    quick = ["--stop_words=none", "--epochs=1", "--latent_dim=3", "--num_importance_samples=1"]
    program = [environment / "bin" / "tf-vmf", "bow_vae", f"--train_files={text}", f"--workdir={run}", *quick]
    subprocess.run(program, check=True, cwd=folder, env={**os.environ, "PYTHONPATH": ""})
    subprocess.run([environment / "bin" / "python", "-c", _RELOAD, str(run)], check=True, cwd=folder)


def main() -> None:
    found = interpreters()
    if not found:
        print(f"no other Python of {', '.join(VERSIONS)} is installed")
        return
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Path(name) / "source"
        # pip builds in the tree; the checkout stays as it is.
        shutil.copytree(
            ROOT, source, ignore=shutil.ignore_patterns(".*", "docs", "tests", "results", "build", "*.egg-info")
        )
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", name, str(source)]
        subprocess.run(build, check=True)
        wheel = next(folder.glob("*.whl"))
        for interpreter in found:
            print(f"{interpreter}: {wheel.name}", flush=True)
            check(interpreter, wheel, folder)


if __name__ == "__main__":
    main()

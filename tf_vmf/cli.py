"""The command `tf-vmf`: the programs of `trainers/`, from an installed package or a checkout."""

from __future__ import annotations

import difflib
import runpy
import sys
from pathlib import Path

from tf_vmf.version import __version__

_PACKAGE = Path(__file__).resolve().parent
_USAGE = """usage: tf-vmf PROGRAM [--flag=value ...]

Programs:
{programs}

tf-vmf PROGRAM --help lists the flags of a program. Recipes, for --flagfile=NAME:
{recipes}
"""


def programs_folder() -> Path:
    """The folder that holds `trainers`, `flags` and `recipes`: inside the installed package, or the checkout's own."""
    installed = _PACKAGE / "programs"
    return installed if (installed / "trainers").is_dir() else _PACKAGE.parent


def main() -> None:
    """Runs `tf-vmf PROGRAM ...` as `python -m trainers.PROGRAM ...` runs from a checkout."""
    folder = programs_folder()
    sys.path.insert(0, str(folder))
    found = {path.stem: path for path in (folder / "trainers").glob("*.py")}
    programs = {
        name: _first_line(path) for name, path in sorted(found.items()) if "__main__" in path.read_text("utf-8")
    }
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in programs:
        del sys.argv[0]
        runpy.run_module(f"trainers.{name}", run_name="__main__", alter_sys=True)
        return
    recipes = ", ".join(sorted(path.stem for path in (folder / "recipes").glob("*.flags")))
    listed = "\n".join(f"  {program:<10} {line}" for program, line in programs.items())
    if name in ("--help", "-h", "help"):
        print(_USAGE.format(programs=listed, recipes=f"  {recipes}"), end="")
        return
    if name in ("--version", "-version"):
        print(f"tf-vmf {__version__}")
        return
    closest = difflib.get_close_matches(name, programs, 1)
    hint = f"Did you mean {closest[0]}?" if closest else f"Expected one of: {', '.join(programs)}."
    print(f"error: there is no program {name!r}. {hint}", file=sys.stderr)
    sys.exit(2)


def _first_line(path: Path) -> str:
    lines = path.read_text("utf-8").split('"""', 2)[1].strip().splitlines()
    return lines[0] if lines else ""


if __name__ == "__main__":
    main()

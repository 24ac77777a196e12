"""Every line of the shell on the pages is of a kind that is checked: programs by `test_commands`, all others here."""

import configparser
import json
import re
import shlex

import pytest
from packaging.requirements import Requirement

from tests.docs.pages import DOCS, PAGES, ROOT, blocks, commands
from tf_vmf.programs.configs import ServeConfig

SHELL = ("sh", "console", "bash", "yaml", "dockerfile")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def requirements():
    """The dependencies of the package by extra; of the package itself under ""."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = {"": settings["options"]["install_requires"], **settings["options.extras_require"]}
    lines = {extra: [line for line in text.splitlines() if line and line[0] != "#"] for extra, text in listed.items()}
    return {extra: [Requirement(line.partition(" #")[0]) for line in found] for extra, found in lines.items()}


def is_target(words):
    return words[0] == "make" and all(re.search(rf"^{word}:", MAKEFILE, re.MULTILINE) for word in words[1:])


def is_module(words):
    """A module of tools, examples or benchmarks, with options that it has."""
    if words[:2] != ["python", "-m"]:
        return False
    place = ROOT / words[2].replace(".", "/")
    file = place / "__main__.py" if place.is_dir() else place.with_suffix(".py")
    options = [word.partition("=")[0] for word in words[3:] if word.startswith("--")]
    source = file.read_text("utf-8")
    return all(f'"{option}"' in source or f'"{option.lstrip("-")}"' in source for option in options)


def is_installation(words):
    """Of this package with extras that it has."""
    if words[:2] != ["pip", "install"]:
        return False
    found = re.fullmatch(r"(?:\.|tf-vmf)(?:\[([\w,]+)\])?", words[2])
    return bool(found) and {*filter(None, (found[1] or "").split(","))} <= set(requirements())


def is_virtual_environment(words):
    return words in (["python3", "-m", "venv", ".venv"], [".", ".venv/bin/activate"])


def is_cluster(words):
    """The description of a cluster as TensorFlow reads it."""
    if words[0] != "export" or not words[1].startswith("TF_CONFIG="):
        return False
    description = json.loads(words[1].removeprefix("TF_CONFIG="))
    task = description["task"]
    return task["index"] < len(description["cluster"][task["type"]])


KINDS = (is_target, is_module, is_installation, is_virtual_environment, is_cluster)

# What only a cluster can run, and what `test_guides` runs.
ELSEWHERE = re.compile(r"#SBATCH |hosts=\$\(scontrol |(?:command|args): ?|- \||curl |saved_model_cli ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_line_is_of_a_kind_that_is_checked(page):
    for _, content in blocks(page, *(each for each in SHELL if each != "dockerfile")):
        for line in content.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if not words or commands(line) or ELSEWHERE.match(line.strip()):
                continue
            assert any(kind(words) for kind in KINDS), line


def test_the_container_has_what_the_service_needs_and_starts_it():
    [(_, recipe)] = blocks(DOCS / "SERVING.md", "dockerfile")
    steps = [line.partition(" ")[::2] for line in recipe.splitlines() if not line.startswith("#")]
    assert {kind for kind, _ in steps} == {"FROM", "RUN", "COPY", "USER", "EXPOSE", "CMD"}
    bounds = {each.name: each.specifier for found in requirements().values() for each in found}
    installed = {}
    for words in (shlex.split(text) for kind, text in steps if kind == "RUN"):
        assert words[:2] == ["pip", "install"]
        for word in words[2:]:
            if not word.startswith(("--", "/")):
                requirement = Requirement(word)
                installed[requirement.name] = requirement
    assert {each.name for each in requirements()["serve"]} | {"tensorflow", "keras", "scipy"} == set(installed)
    for name in ("tensorflow", "keras"):
        release = re.fullmatch(r"==(\d+\.\d+)\.\*", str(installed[name].specifier))[1]
        assert bounds[name].contains(f"{release}.0")
    python = next(text for kind, text in steps if kind == "FROM").removeprefix("python:").removesuffix("-slim")
    assert f"Programming Language :: Python :: {python}" in (ROOT / "setup.cfg").read_text("utf-8")
    copied = [text.split() for kind, text in steps if kind == "COPY"]
    made = [words for _, content in blocks(DOCS / "SERVING.md", "sh") for words in commands(content)]
    assert f"--output={copied[1][0]}" in made[0]
    command = json.loads(next(text for kind, text in steps if kind == "CMD"))
    assert command[:2] == ["tf-vmf", "serve"]
    assert f"--export_dir={copied[1][1]}" in command
    port = next(text for kind, text in steps if kind == "EXPOSE")
    assert int(port) == ServeConfig(export_dir="x").port
    assert f"-p {port}:{port}" in recipe

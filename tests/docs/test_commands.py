"""The commands of all pages exist, with the flags and values they name."""

import re

import pytest

from flags.from_config import define
from tests.docs.pages import PAGES, ROOT, blocks, commands
from tools.programs import programs
from trainers.program import parse

PROGRAMS = programs()


def all_commands():
    for page in PAGES:
        for _, content in blocks(page, "sh", "console", "bash", "yaml", "dockerfile"):
            for words in commands(content):
                yield page.name, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_parse(page, monkeypatch):
    monkeypatch.chdir(ROOT)  # flag files are named as from a checkout
    for _, content in blocks(page, "sh", "console", "bash", "yaml", "dockerfile"):
        for name, *words in commands(content):
            if "--help" in words:
                continue
            program = PROGRAMS[name]
            if "..." in words:  # the flags that every run has
                words[words.index("...") : words.index("...") + 1] = ["--corpus=wikipedia", "--workdir=x"]
            own, rest = words, []
            if program.rest and "--" in words:
                own, rest = words[: words.index("--")], words[words.index("--") + 1 :]
            parse(define(program.configs), program.configs, own)
            if rest:
                trainer = PROGRAMS[next(word for word in own if word.startswith("--trainer=")).partition("=")[2]]
                parse(define(trainer.configs), trainer.configs, [*rest, "--workdir=x"])


def test_commands_are_found():
    assert len(list(all_commands())) > 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_modules_and_targets_that_are_named_exist(page):
    text = page.read_text("utf-8")
    for folder, module in re.findall(r"(?:python -m |`)(tools|benchmarks|examples|trainers)\.(\w+)", text):
        files = ROOT / folder / f"{module}.py", ROOT / folder / module / "__main__.py"
        assert module == "NAME" or any(file.is_file() for file in files), (folder, module)
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target

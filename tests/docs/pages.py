"""The pages of the documentation, their code and their commands."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.glob("*.md")),
    *TUTORIALS,
    DOCS / "reference/index.md",
]


def blocks(page: Path, *languages: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page in these languages, in order: (language, content)."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [(language, content) for language, content in found if language in languages]


def commands(content: str) -> list[list[str]]:
    """The calls of our programs in a block of shell commands, as lists of words that start with the program's name."""
    lines = content.replace("\\\n", " ").splitlines()
    found = []
    for line in lines:
        for call in re.findall(r"(?:python -m trainers\.|tf-vmf )(\w+.*?)(?= && |$)", line):
            if call.count("'") % 2:  # the end of a quoted script
                call = call.rstrip().removesuffix("'")
            found.append(shlex.split(call, comments=True))
    return found

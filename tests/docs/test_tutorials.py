"""The tutorials run as they stand: their Python blocks in one namespace and their shell commands, in order, in an empty folder."""

import os
import subprocess
import sys

import pytest

from tests.docs.pages import ROOT, TUTORIALS, blocks, commands

# What a page says that its code shows, by the names that the code leaves behind.
SHOWN = {
    "keras_layer": lambda names: (
        abs(names["history"].history["kl"][-1] - 3.605) < 1e-3
        and abs(names["same"] - names["codes"]).numpy().max() < 1e-6
    ),
    "sentences": lambda names: all(" eats " in sentence for sentence in names["written"]),
    "your_text": lambda names: names["proportions"].argmax() == names["model"].find_topics("camera")[0][0],
}

RUN = [page for page in TUTORIALS if blocks(page, "python", "sh")]


def test_most_tutorials_have_something_to_run():
    assert len(RUN) >= 6


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[] if page.stem == "vae_vmf" else pytest.mark.slow, id=page.stem) for page in RUN],
)
def test_the_tutorial_runs_as_it_stands(page, tmp_path, monkeypatch):
    for name in ("pandas", "gensim", "matplotlib"):
        pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    names: dict = {"__name__": "__main__"}
    for language, content in blocks(page, "python", "sh"):
        if language == "python":
            exec(compile(content, str(page), "exec"), names)
            continue
        calls = commands(content)
        assert calls, f"no command was found in: {content}"
        for words in calls:
            done = subprocess.run(
                [sys.executable, "-m", f"trainers.{words[0]}", *words[1:]],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr[-3000:]
    assert page.stem not in SHOWN or SHOWN[page.stem](names)

"""The example finds the classes that the folders name."""

import pytest

from tests.topics.conftest import SMALL
from tests.topics.planted import WORDS, planted_texts

pytest.importorskip("pandas")
pytest.importorskip("gensim")
pytest.importorskip("matplotlib")


def test_folders_are_classes_and_a_folder_without_text_is_refused(tmp_path):
    from examples import topics_from_folder

    for name in ("b/1.txt", "a/2.txt", "a/1.txt", "a/notes.md", "b/a/3.txt", "loose.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"text of {name}")
    texts, classes = topics_from_folder.read_folder(tmp_path)
    assert classes == ["a", "a", "b", "b", None]
    assert texts[0] == "text of a/1.txt"
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="empty"):
        topics_from_folder.read_folder(tmp_path / "empty")


@pytest.mark.slow
def test_a_folder_becomes_topics_that_are_its_subfolders(tmp_path, capsys):
    from examples import topics_from_folder

    texts, labels = planted_texts()
    for number, (text, label) in enumerate(zip(texts, labels, strict=True)):
        file = tmp_path / "texts" / list(WORDS)[label] / f"{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    arguments = {name: value for name, value in SMALL.items() if name != "random_state"}
    model = topics_from_folder.main(str(tmp_path / "texts"), 3, str(tmp_path / "out"), **arguments)
    shares = model.topics_per_class(topics_from_folder.read_folder(tmp_path / "texts")[1])
    assert shares.groupby("class")["share"].max().min() > 0.8  # one topic for each folder
    assert (tmp_path / "out/report.html").is_file()
    assert (tmp_path / "out/model").is_dir()
    assert "space" in capsys.readouterr().out

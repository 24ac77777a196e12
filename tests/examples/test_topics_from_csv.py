"""The example goes from a CSV file to tables, a report and the topics of a new text."""

import csv

import pytest

from tests.topics.conftest import SMALL
from tests.topics.planted import WORDS, planted_texts

pytest.importorskip("pandas")
pytest.importorskip("gensim")
pytest.importorskip("matplotlib")


@pytest.mark.slow
def test_a_csv_file_becomes_topics_documents_a_report_and_a_model(tmp_path, capsys):
    from examples import topics_from_csv
    from tf_vmf import TopicModel

    texts, _ = planted_texts()
    with open(tmp_path / "reviews.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["id", "review"], [0, ""], *enumerate(texts, 1)])
    arguments = {name: value for name, value in SMALL.items() if name != "random_state"}
    model = topics_from_csv.main(str(tmp_path / "reviews.csv"), "review", 3, str(tmp_path / "out"), **arguments)
    with open(tmp_path / "out/topics.csv") as file:
        topics = list(csv.DictReader(file))
    assert [row["words"].split() for row in topics] == model.topics(10)
    assert sum(int(row["size"]) for row in topics) == len(texts)
    with open(tmp_path / "out/documents.csv") as file:
        documents = list(csv.DictReader(file))
    assert [int(row["topic"]) for row in documents] == model.labels_.tolist()
    assert int(documents[0]["known_tokens"]) == 0
    assert (tmp_path / "out/report.html").is_file()
    assert model.topics(1)[0][0] in capsys.readouterr().out
    loaded = TopicModel.load(tmp_path / "out/model")
    described = topics_from_csv.describe(loaded, " ".join(WORDS["food"]))
    best = loaded.topic_labels()[loaded.find_topics("bread")[0][0]]
    assert described.startswith(best)

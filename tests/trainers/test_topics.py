"""From a CSV file to tables of topics, a report, and the topics of new texts."""

import csv

import numpy as np
import pytest
import tensorflow as tf

import tf_vmf
from tf_vmf.programs.configs import ExportConfig, PredictConfig, TopicsConfig
from trainers import export, predict, topics

pytest.importorskip("pandas")

THEMES = ["star planet orbit moon comet", "flour butter sugar oven bread", "goal match player league team"]


def table(path, delimiter=","):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Topics of 240 texts about three things, in a CSV file with labels."""
    rng = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("topics")
    with (root / "texts.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "body"])
        writer.writerows([i % 3, " ".join(rng.choice(THEMES[i % 3].split(), 12))] for i in range(240))
    topics.main(
        TopicsConfig(
            train_files=(str(root / "texts.csv"),),
            text_column="body",
            label_column="kind",
            num_topics=3,
            stop_words="none",
            latent_dim=5,
            output=root / "out",
            export_codes=str(root / "projector"),
        )
    )
    return root


def test_the_folder_holds_tables_a_report_and_a_model(folder):
    found = table(folder / "out" / "topics.csv")
    assert list(found[0]) == ["topic", "label", "size", "share", "c_npmi", "words"]
    # A theme has five words; what comes after them has no place in the topic.
    assert {frozenset(row["words"].split()[:5]) for row in found} == {frozenset(theme.split()) for theme in THEMES}
    documents = table(folder / "out" / "documents.csv")
    assert list(documents[0]) == ["row", "topic", "probability", "known_tokens", "label", "text"]
    assert [row["row"] for row in documents] == [str(i) for i in range(240)]
    # Each theme is one topic.
    assert len({(row["topic"], i % 3) for i, row in enumerate(documents)}) == 3
    assert "<html" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_new_texts_have_codes_and_proportions(folder, tmp_path):
    (tmp_path / "new.txt").write_text("moon and planet\nunknown\nbread, butter\n")
    config = PredictConfig(model=folder / "out", input=(str(tmp_path / "new.txt"),), output=tmp_path / "new.csv")
    predict.main(config)
    rows = table(tmp_path / "new.csv")
    model = tf_vmf.TopicModel.load(folder / "out" / "model")
    expected = model.transform(["moon and planet", "unknown", "bread, butter"])
    found = np.array([[float(row[f"topic_{k}"]) for k in range(3)] for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert [row["known_tokens"] for row in rows] == ["2", "0", "2"]
    assert rows[0]["topic"] != rows[2]["topic"]
    assert "code_4" in rows[0]


@pytest.mark.slow
def test_the_export_of_the_folder_gives_the_topics_of_new_texts_and_the_nearest_old_ones(folder, tmp_path):
    new = ["moon and planet", "bread, butter"]
    config = ExportConfig(
        model=folder / "out", output=tmp_path / "1", examples=(str(folder / "texts.csv"),), text_column="body"
    )
    export.main(config)
    endpoints = tf.saved_model.load(str(tmp_path / "1")).signatures
    proportions = endpoints["topics_text"](texts=tf.constant(new))["proportions"]
    model = tf_vmf.TopicModel.load(folder / "out" / "model")
    np.testing.assert_allclose(proportions, model.transform(new), atol=1e-5)
    assert "nearest_text" in endpoints


def test_codes_of_both_programs_go_to_the_projector(folder, tmp_path):
    (tmp_path / "new.txt").write_text("moon and planet\nunknown\nbread, butter\n")
    config = PredictConfig(
        model=folder / "out",
        input=(str(tmp_path / "new.txt"),),
        output=tmp_path / "new.csv",
        export_codes=str(tmp_path / "projector"),
    )
    predict.main(config)
    model = tf_vmf.TopicModel.load(folder / "out" / "model")
    new = ["moon and planet", "bread, butter"]
    np.testing.assert_allclose(np.loadtxt(tmp_path / "projector/codes.tsv"), model.embed(new), atol=1e-4)
    metadata = table(tmp_path / "projector/metadata.tsv", "\t")
    assert [row["row"] for row in metadata] == ["0", "2"]
    names = model.topic_labels()
    assert [row["topic_label"] for row in metadata] == [names[k] for k in model.transform(new).argmax(axis=1)]
    documents, trained = table(folder / "out/documents.csv"), table(folder / "projector/metadata.tsv", "\t")
    assert [row["topic"] for row in trained] == [row["topic"] for row in documents]
    assert [row["label"] for row in trained] == [str(i % 3) for i in range(240)]
    assert len(table(folder / "projector/coordinates.tsv", "\t")) == 240


def test_options_that_program_and_estimator_share_have_one_default():
    config, model = TopicsConfig(corpus="wikipedia", output="out"), tf_vmf.TopicModel()
    shared = set(config.as_dict()) & set(model.get_params())
    assert {"num_topics", "relevance_weight", "latent_dim", "min_df"} <= shared
    for name in shared - {"ngram_range"}:
        assert getattr(config, name) == getattr(model, name)


def test_a_folder_that_is_there_is_refused_before_the_text_is_read(folder):
    with pytest.raises(FileExistsError, match="does not exist"):
        topics.main(TopicsConfig(train_files=("/no/such/file.txt",), output=folder / "out"))

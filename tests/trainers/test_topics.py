"""From a CSV file to tables of topics, a report, and the topics of new texts."""

import csv
import json
from datetime import date

import numpy as np
import pytest
import tensorflow as tf

import tf_vmf
from tf_vmf._errors import ArgumentError
from tf_vmf.data import prepare_documents
from tf_vmf.programs.configs import ExportConfig, PredictConfig, TopicsConfig
from tf_vmf.programs.tables import OwnColumns
from tf_vmf.programs.topics import _write_report
from tf_vmf.text.files import TextFiles
from tf_vmf.text.tables import Columns
from tf_vmf.topics.edits import fingerprint
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
        writer.writerow(["id", "kind", "body", "day"])
        for i in range(240):
            words = " ".join(rng.choice(THEMES[i % 3].split(), 12)) if i else "unknown"
            writer.writerow([f"={i}", i % 3, words, f"{1 + i % 28}.{1 + i // 120}.2021"])
    (root / "seeds.txt").write_text("cooking: bread, oven\n")
    topics.main(config(root, "out", export_codes=str(root / "projector")))
    return root


def config(root, output, **options):
    return TopicsConfig(
        train_files=(str(root / "texts.csv"),),
        text_column="body",
        label_column="kind",
        date_column="day",
        freq="M",
        seed_words=str(root / "seeds.txt"),
        num_topics=3,
        stop_words="none",
        latent_dim=5,
        output=root / output,
        **options,
    )


@pytest.fixture(scope="module")
def edited(folder, browser):
    """The file of edits that a reader saves from the page, and what the page then lists: number, name and size of each topic."""
    page = browser.new_page()
    page.goto((folder / "out" / "report.html").as_uri())
    page.locator(".explorer.works").wait_for()
    page.locator(".topic-list [data-topic='1']").click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Name of topic 1").fill("the others")
    page.get_by_role("button", name="Rename", exact=True).click()
    page.locator(".topic-list [data-topic='0']").click()
    page.get_by_text("Rename, merge, hide").click()
    page.get_by_label("Topic to merge with").select_option("2")
    page.get_by_role("button", name="Merge", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save edits").click()
    download.value.save_as(folder / "edits.json")
    lines = [page.locator(f".topic-list {part}").all_text_contents() for part in (".no", ".label", "small")]
    tree = page.locator("[data-relation=tree]")
    tree.get_by_label("Number of topics after the cut").fill("2")
    tree.get_by_role("button", name="Merge into 2 topics").click()
    cut = page.locator(".topic-list small").all_text_contents()
    page.close()
    return folder / "edits.json", list(zip(*lines, strict=True)), cut


def test_edits_saved_from_the_page_give_the_model_the_topics_that_the_page_shows(folder, edited):
    path, shown, _ = edited
    model = tf_vmf.TopicModel.load(folder / "out" / "model").apply_edits(path)
    info = model.topic_info()
    assert [number for number, _, _ in shown] == ["0", "1"]
    assert dict(zip(info["label"], info["size"], strict=True)) == {name: int(size) for _, name, size in shown}
    assert "the others" in info["label"].tolist()


def test_the_cut_of_the_page_merges_what_reduce_topics_merges(folder, edited):
    model = tf_vmf.TopicModel.load(folder / "out" / "model").reduce_topics(2)
    assert sorted(model.topic_info()["size"]) == sorted(map(int, edited[2]))


@pytest.mark.slow
def test_the_program_applies_edits_saved_from_the_page(folder, edited):
    path, shown, _ = edited
    topics.main(config(folder, "edited", edits=str(path)))
    assert {row["label"]: row["size"] for row in table(folder / "edited" / "topics.csv")} == {
        name: size for _, name, size in shown
    }


def test_the_folder_holds_tables_a_report_and_a_model(folder):
    found = table(folder / "out" / "topics.csv")
    assert list(found[0]) == ["topic", "label", "size", "share", "c_npmi", "words"]
    # A theme has five words; what comes after them has no place in the topic.
    assert {frozenset(row["words"].split()[:5]) for row in found} == {frozenset(theme.split()) for theme in THEMES}
    assert found[0]["label"] == "cooking"
    assert found[0]["words"].split()[:2] == ["bread", "oven"]
    documents, texts = table(folder / "out" / "documents.csv"), table(folder / "texts.csv")
    added = ["topic", "topic_label", "probability", "known_tokens"]
    assert list(documents[0]) == ["id", "kind", "body", "day", *added]
    assert [{name: row[name] for name in texts[0]} for row in documents] == texts
    # Each theme is one topic, and a text without a known word has none.
    assert len({(row["topic"], i % 3) for i, row in enumerate(documents[1:], 1)}) == 3
    assert [documents[0][name] for name in added] == ["-1", "no known word", "", "0"]
    assert sum(int(row["size"]) for row in found) == 239
    per_class = table(folder / "out" / "topics_per_class.csv")
    assert [row["class"] for row in per_class[::3]] == ["0", "1", "2"]
    over_time = table(folder / "out" / "topics_over_time.csv")
    assert [row["time"] for row in over_time[::3]] == ["2021-01-01", "2021-02-01"]
    sums = [sum(float(row["documents"]) for row in over_time[k : k + 3]) for k in (0, 3)]
    np.testing.assert_allclose(sums, [119, 120], atol=1e-3)
    findings = json.loads((folder / "out" / "findings.json").read_text("utf-8"))
    assert [topic["label"] for topic in findings["topics"]] == [row["label"] for row in found]
    assert findings["texts_without_topic"] == 1
    assert "<html" in (folder / "out" / "report.html").read_text(encoding="utf-8")


def test_new_texts_keep_their_columns_and_have_topics(folder, tmp_path):
    texts = ["moon and planet", "unknown", "bread, butter"]
    (tmp_path / "new.csv").write_text('id;body\n7;moon and planet\n8;unknown\n9;"bread, butter"\n')
    options = {"model": folder / "out", "input": (str(tmp_path / "new.csv"),), "output": tmp_path / "topics.csv"}
    options |= {"text_column": "body", "delimiter": ";"}
    predict.main(PredictConfig(**options))
    rows = table(tmp_path / "topics.csv")
    assert list(rows[0]) == ["id", "body", "topic", "topic_label", "probability", "known_tokens"]
    assert [(row["id"], row["body"]) for row in rows] == list(zip("789", texts, strict=True))
    model = tf_vmf.TopicModel.load(folder / "out" / "model")
    expected = model.transform(texts)
    names = model.topic_labels()
    assert [row["topic"] for row in rows] == [str(expected[0].argmax()), "-1", str(expected[2].argmax())]
    assert [row["topic_label"] for row in rows] == [
        names[expected[0].argmax()],
        "no known word",
        names[expected[2].argmax()],
    ]
    assert rows[1]["probability"] == ""
    assert [row["known_tokens"] for row in rows] == ["2", "0", "2"]
    predict.main(PredictConfig(**options, proportions=True, codes=True, bounds=True))
    rows = table(tmp_path / "topics.csv")
    found = np.array([[float(row[f"topic_{k}"]) for k in range(3)] for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    codes = np.array([[float(row[f"code_{i}"]) for i in range(5)] for row in rows])
    np.testing.assert_allclose(codes[[0, 2]], model.embed(texts)[[0, 2]], atol=1e-5)
    assert float(rows[1]["nll"]) == 0.0
    with pytest.raises(ArgumentError, match=r"`refine_steps`.*without codes or bounds"):
        predict.main(PredictConfig(**options, refine_steps=1))
    with pytest.raises(ArgumentError) as caught:  # its own output has columns of these names
        predict.main(PredictConfig(**{**options, "input": (str(tmp_path / "topics.csv"),), "delimiter": None}))
    assert caught.value.name == "text_column"


def test_plain_texts_have_their_row_and_label(folder, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text("moon and planet\n")
    files = (f"one={tmp_path}/a.txt", f"two={tmp_path}/b.txt")
    predict.main(PredictConfig(model=folder / "out", input=files, output=tmp_path / "topics.csv"))
    rows = table(tmp_path / "topics.csv")
    assert [list(row.values())[:3] for row in rows] == [
        ["0", "moon and planet", "one"],
        ["1", "moon and planet", "two"],
    ]
    assert list(rows[0])[:4] == ["row", "text", "label", "topic"]


def test_columns_of_several_files_and_of_json_lines_are_put_together(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"body": "x", "n": 1}\n{"body": "y", "tags": ["p", "q"]}\n')
    (tmp_path / "b.csv").write_text("m,body\n3,z\n")
    texts = TextFiles([tmp_path / "a.jsonl", tmp_path / "b.csv"], columns=Columns("body"))
    own = OwnColumns(texts, ["topic"])
    assert own.names == ["body", "n", "tags", "m"]
    rows = [own.cells(row, text) for row, text in enumerate(texts)]
    assert rows == [["x", 1, "", ""], ["y", "", '["p", "q"]', ""], ["z", "", "", "3"]]
    last = list(texts)[-1]
    with pytest.raises(ValueError, match=r"b\.csv, line 2.*column 'm'"):
        OwnColumns(list(texts)[:2], ["topic"]).cells(2, last)


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
    assert [row["topic"] for row in trained] == [row["topic"] for row in documents[1:]]
    assert [row["label"] for row in trained] == [str(i % 3) for i in range(1, 240)]
    assert len(table(folder / "projector/coordinates.tsv", "\t")) == 239


def test_a_prepared_corpus_gives_topics_whose_number_is_found_and_that_edits_name(tmp_path):
    rng = np.random.default_rng(0)
    for kind in range(3):
        lines = [" ".join(rng.choice(THEMES[kind].split(), 12)) for _ in range(60)]
        (tmp_path / f"{kind}.txt").write_text("\n".join(lines) + "\n")
    files = [f"kind {kind}={tmp_path}/{kind}.txt" for kind in range(3)]
    prepare_documents(tmp_path / "prepared", files, stop_words="none", validation_size=1, test_size=1)
    options = {
        "corpus": "prepared",
        "data_dir": str(tmp_path / "prepared"),
        "num_topics": "none",
        "latent_dim": 5,
        "epochs": 20,
    }
    topics.main(TopicsConfig(**options, output=tmp_path / "first"))
    model = tf_vmf.TopicModel.load(tmp_path / "first" / "model")
    documents = table(tmp_path / "first" / "documents.csv")
    assert list(documents[0]) == ["row", "label", "topic", "topic_label", "probability", "known_tokens"]
    assert [row["row"] for row in documents] == [str(row) for row in range(178)]
    # Each kind of text is one topic.
    assert model.num_topics_ == 3
    assert len({(row["label"], row["topic"]) for row in documents}) == 3
    edits = {"format": "tf_vmf topic edits", "version": 1, "num_topics": 3, "fingerprint": fingerprint(model.topics(5))}
    (tmp_path / "edits.json").write_text(json.dumps(edits | {"labels": {"0": "space"}, "merge": [[1, 2]]}))
    topics.main(TopicsConfig(**options, edits=str(tmp_path / "edits.json"), output=tmp_path / "second"))
    edited = table(tmp_path / "second" / "documents.csv")
    assert {row["topic"] for row in edited} == {"0", "1"}
    assert [row["topic"] == "0" for row in edited] == [row["topic"] == "0" for row in documents]
    assert {row["topic_label"] for row in edited if row["topic"] == "0"} == {"space"}
    assert len(table(tmp_path / "second" / "topics_per_class.csv")) == 3 * 2


def test_options_of_text_are_refused_for_a_prepared_corpus_which_needs_its_folder():
    with pytest.raises(ArgumentError) as caught:
        TopicsConfig(corpus="prepared", output="out").check()
    assert caught.value.name == "data_dir"
    with pytest.raises(ArgumentError) as caught:
        TopicsConfig(corpus="prepared", data_dir="folder", min_df=5, output="out").check()
    assert caught.value.name == "min_df"


def test_the_page_of_many_texts_is_given_a_sample_with_its_own_columns(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tf_vmf.programs.topics.MOST_ON_PAGE", 40)
    model = tf_vmf.TopicModel.load(folder / "out" / "model")
    columns = Columns("body", "kind")
    texts = list(TextFiles([folder / "texts.csv"], columns=columns))
    config = TopicsConfig(
        train_files=(str(folder / "texts.csv"),),
        text_column="body",
        label_column="kind",
        date_column="day",
        output="out",
    )
    times = [date(2021, 1, 1 + row % 28) for row in range(240)]
    given = {}
    monkeypatch.setattr(
        tf_vmf.TopicModel,
        "report",
        lambda self, path, classes, **options: given.update(options, classes=classes, labels=self.labels_),
    )
    _write_report(
        model, texts, [text.text for text in texts], OwnColumns(texts, []), times, config, tmp_path / "page.html"
    )
    assert given["title"] == "texts.csv: a sample of 40 of 240 texts"
    rows = [int(title[1:]) for title in given["titles"]]  # the ids in the file are "=0", "=1", ...
    assert rows == sorted(set(rows))
    assert len(rows) == 40
    assert given["classes"] == [str(row % 3) for row in rows]
    assert given["times"] == [times[row] for row in rows]
    assert given["texts"] == [texts[row].text for row in rows]
    assert given["labels"].tolist() == model.labels_[rows].tolist()
    assert given["columns"] is None
    assert len(model.labels_) == 240


def test_options_that_program_and_estimator_share_have_one_default():
    config, model = TopicsConfig(corpus="wikipedia", output="out"), tf_vmf.TopicModel()
    shared = set(config.as_dict()) & set(model.get_params())
    assert {"num_topics", "relevance_weight", "latent_dim", "min_df"} <= shared
    for name in shared - {"ngram_range", "edits"}:
        assert getattr(config, name) == getattr(model, name)


def test_a_folder_that_is_there_is_refused_before_the_text_is_read(folder):
    with pytest.raises(FileExistsError, match="does not exist"):
        topics.main(TopicsConfig(train_files=("/no/such/file.txt",), output=folder / "out"))

"""A corpus of one's own: one function in a file outside the package reaches the loaders and the trainers."""

import importlib
import sys

import pytest

import tf_vmf
from tests.refusals import refused
from tf_vmf import data
from tf_vmf.data.registry import corpus_names
from tf_vmf.programs.configs import DocumentConfig
from tf_vmf.text.files import Text

MODULE = """
import tf_vmf


@tf_vmf.data.register_corpus("kitchen", source="written here", stop_words="none", min_count=1)
def read_kitchen():
    return {"train": [("the moon and a rocket", "space"), ("bread with butter", "food")] * 30}
"""


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    (tmp_path / "a_kitchen.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "a_kitchen", raising=False)
    importlib.import_module("a_kitchen")
    return tmp_path


def test_the_loaders_know_it_by_name(kitchen):
    corpus = data.load_bag_of_words("kitchen")
    assert corpus.label_names == ("food", "space")
    assert corpus.statistics["source"] == "written here"
    assert "the" in corpus.vocabulary  # stop_words="none" is its default
    assert "the" not in data.load_bag_of_words("kitchen", stop_words=["the"]).vocabulary
    assert len(data.load_bag_of_words("kitchen", test_size=7).test) == 7
    whole = data.load_bag_of_words(
        texts=["the moon and a rocket", "bread with butter"] * 30,
        labels=["space", "food"] * 30,
        stop_words="none",
        min_count=1,
    )
    assert corpus.train.statistics == whole.train.statistics


def test_sentences_and_documents_may_share_one(kitchen):
    with refused("stop_words"):  # a default that sentences do not know is passed over, an option of the call is not

        @data.register_corpus("other", kinds="sentences", stop_words="none")
        def other():
            return {}

    assert "kitchen" in corpus_names("sentences")
    assert data.load_sentences("kitchen").label_names == ("food", "space")


@pytest.mark.slow  # trains and writes a report
@pytest.mark.filterwarnings("ignore:The documents have . distinct codes")
def test_the_programs_know_it_by_name(kitchen):
    config = DocumentConfig(corpus="kitchen", epochs=1, latent_dim=3, batch_size=20, num_importance_samples=2)
    run = tf_vmf.programs.train_documents(config, kitchen / "run", verbose=False)
    assert run.metrics["protocol"]["source"] == "written here"
    assert (kitchen / "run" / "report.html").is_file()


def test_options_that_would_do_nothing_are_refused(kitchen):
    with refused("data_dir"):
        data.load_bag_of_words("kitchen", data_dir="x")
    with refused("vocab_file"):
        data.load_bag_of_words("kitchen", vocab_file="x")

    @data.register_corpus("split", splits=("train", "test"))
    def split(data_dir):
        return {"train": ["a moon"] * 9, "test": [Text("a moon", title="one")]}

    with refused("test_size"):
        data.load_bag_of_words("split", data_dir="x", test_size=3)
    with refused("data_dir", "None"):
        data.load_bag_of_words("split")
    assert len(data.load_bag_of_words("split", data_dir="x").test) == 1


def test_what_a_function_gives_is_checked():
    @data.register_corpus("wrong splits")
    def wrong_splits():
        return {"training": []}

    @data.register_corpus("wrong texts")
    def wrong_texts():
        return {"train": ["fine", 3]}

    with refused("loader", "training"):
        data.load_bag_of_words("wrong splits")
    with refused("loader", "3 in row 1"):
        data.load_bag_of_words("wrong texts")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"kinds": "images"}, "kinds"),
        ({"splits": ("test",)}, "splits"),
        ({"stopwords": "none"}, "stopwords"),
        ({"text_column": "text"}, "text_column"),
    ],
)
def test_wrong_arguments_are_named(arguments, name):
    with refused(name):

        @data.register_corpus("mine", **arguments)
        def mine():
            return {}


def test_a_name_that_another_corpus_has_is_refused():
    with refused("name", "tf_vmf.data.corpora"):

        @data.register_corpus("20ng", kinds="documents")
        def mine():
            return {}


def test_a_finished_corpus_takes_the_options_that_it_names():
    @data.register_corpus("finished", kinds="documents", splits=("train", "valid", "test"), is_finished=True)
    def finished(seed=0, vocabulary_size=10):
        return data.load_bag_of_words(texts=["a red moon", "blue sea"] * 20, seed=seed, vocabulary_size=vocabulary_size)

    assert len(data.load_bag_of_words("finished", vocabulary_size=2).vocabulary) == 2
    with refused("min_count", "would do nothing"):
        data.load_bag_of_words("finished", min_count=1)


def test_an_option_of_the_call_goes_before_the_default_of_the_corpus(tmp_path):
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.txt").write_text("A red moon. A red sea.\nonce\n")
    assert "moon." in data.load_sentences("ptb", data_dir=tmp_path).vocabulary
    corpus = data.load_sentences("ptb", data_dir=tmp_path, tokenization="punctuation", min_count=2)
    assert set(corpus.vocabulary[3:]) == {"a", "red", "."}

"""Findings made by hand: reports are tested on what they say of them."""

from types import SimpleNamespace

import numpy as np
from scipy import sparse

from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.report import Findings
from tf_vmf.report.context import SentenceSetting
from tf_vmf.report.engine.excerpts import Excerpt, Neighbor, NeighborList
from tf_vmf.report.engine.maps import CodeMap
from tf_vmf.report.engine.neighbors import LabelAgreement
from tf_vmf.report.engine.run import CodeUse, Run, describe_latent
from tf_vmf.report.engine.topic_view import TopicSource, view_topics
from tf_vmf.report.engine.word_order import BeyondBagOfWords, WordOrder
from tf_vmf.report.engine.words import RelevantWords
from tf_vmf.report.sections.axes import Axes, AxisWords
from tf_vmf.report.sections.decodings import Interpolation, Interpolations, Reconstruction, Reconstructions, WordOverlap
from tf_vmf.report.sections.labels import LabelPath, LabelWords, WordsOfLabel
from tf_vmf.report.sections.maps import DocumentMap, SentenceMap
from tf_vmf.report.sections.neighbors import DocumentNeighbors, SentenceNeighbors
from tf_vmf.report.sections.order_of_words import OrderOfWords
from tf_vmf.report.sections.overview import DocumentOverview, SentenceOverview
from tf_vmf.report.sections.results import DocumentResults, SentenceResults
from tf_vmf.report.sections.samples import LabelSamples, PriorSamples, SamplesOfLabel
from tf_vmf.report.sections.sentence_groups import SentenceGroups
from tf_vmf.report.sections.topics import Topics
from tf_vmf.report.sections.training import Protocol, Training
from tf_vmf.report.sections.use_of_code import UseOfCode

TEST = {
    "nll": 101.25, "kl": 7.5, "perplexity": 133.25, "document_perplexity": 140.5, "code_gain": 0.875,
    "mutual_information": 1.5, "active_units": 5, "examples": 417, "tokens": 5000,
}  # fmt: skip
METRICS = {
    "test": TEST,
    "valid": {**TEST, "nll": 102.5},
    "baseline": {"unigram_perplexity": 266.5},
    "training": {"epochs": 6, "best_epoch": 2},
}
FIXED = describe_latent(VonMisesFisherLatent(8, concentration=20.0))
LEARNED = describe_latent(VonMisesFisherLatent(8, concentration="learned"))
SHARED = describe_latent(VonMisesFisherLatent(8, concentration="shared"))
GAUSSIAN = describe_latent(GaussianLatent(8))
STANDARD = SentenceSetting(word_dropout=0.0, reads_label=False, reads_bag_of_words=False, order_free_encoder=False)


def run(**changes):
    """The record of a run."""
    values = {
        "corpus": "small", "train_examples": 900, "valid_examples": 100, "test_examples": 417, "train_tokens": 9000,
        "vocabulary_size": 50, "has_dropout": True, "metrics": METRICS, "history": ({"epoch": 1, "loss": 3.0},), "config": {},
        "command": None,
    }  # fmt: skip
    return Run(**{**values, **changes})


def code_use(**changes):
    """Codes of a fixed concentration."""
    values = {
        "variances": np.array([1.5, 0.5, 0.001]), "active_units": 2, "kl": np.full(5, 7.5), "constant_kl": True,
        "concentration": None, "length_correlation": float("nan"),
    }  # fmt: skip
    return CodeUse(**{**values, **changes})


def excerpt(row, label="red", text="Some text.", words=()):
    """A document or sentence."""
    return Excerpt(row, f"title {row}", label, text, words)


def word_order(last=0.5):
    """Cosines that fall to `last`."""
    cosine = np.linspace(1.0, last, 9)
    return WordOrder(np.arange(9), cosine, np.full(9, 0.01), 0.8, 0.02, 0.1, 0.03, 40, 11.0)


def relevant_words(number):
    """Ten words of a topic: each a tenth of it, the later ones rarer elsewhere."""
    words = tuple(f"word{number}{letter}" for letter in "abcdefghij")
    return RelevantWords(words, tuple(0.1 - 0.001 * i for i in range(10)), tuple(0.05 * 0.5**i for i in range(10)))


def code_map(labels=(0, 1, 0, 1, 0), **changes):
    """Five examples in two topics."""
    values = {
        "points": np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0], [3.0, 1.0], [9.0, 8.0]]), "method": "pca", "num_examples": 5,
        "rows": np.arange(5), "labels": None if labels is None else np.array(labels), "label_names": ("red", "blue"),
        "titles": tuple(f"title {i}" for i in range(5)), "beginnings": tuple(f"Some text {i}." for i in range(5)),
        "neighbors": np.array([[1, 2], [0, 2], [3, 1], [2, 1], [3, 2]]), "cosines": np.full((5, 2), 0.5),
    }  # fmt: skip
    return CodeMap(**{**values, **changes})


def topic_source(**changes):
    """Two topics of five texts, of which the fifth has no known word."""
    values = {
        "labels": ("moon, orbit", "cake, bread"),
        "words": tuple(relevant_words(k).words for k in range(2)), "by_relevance": tuple(map(relevant_words, range(2))),
        "coherence": np.array([0.25, 0.05]), "shares": np.array([0.6, 0.4]), "topic": np.array([0, 0, 1, 0, -1]),
        "codes": np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.96, 0.28], [0.0, 0.0]]), "centers": np.eye(2),
        "spherical": True, "counts": sparse.csr_matrix(np.array([[1, 0, 2], [1, 1, 0], [0, 3, 0], [1, 0, 0], [0, 0, 0]])),
        "vocabulary": ("moon", "cake", "orbit"),
        "texts": ("Moon, orbit; orbit.", "moon and cake", "Cake! cake cake", "A moon", "?"),
        "whole": True, "classes": ("label", ("red", "blue"), np.array([0, 1, 1, -1, 0])),
    }  # fmt: skip
    return TopicSource(**{**values, **changes})


def topic_view(noun="document", topic_noun="topic", weight=0.6, window="within 10 words", **changes):
    """The same as a page shows them."""
    return view_topics(
        topic_source(**changes), noun=noun, topic_noun=topic_noun, relevance_weight=weight, window=window
    )


def sentence_groups(reads_label=False):
    """Two groups of sentences."""
    view = topic_view("sentence", "group", 0.2, "", coherence=np.full(2, np.nan))
    return SentenceGroups(view, np.eye(2), reads_label, 0.25)


def label_comparison(words=(("good", 5.0),), shared=1):
    """Samples of two labels."""
    return tuple(SamplesOfLabel(name, ("a b", "c d"), words, (("good", 9.0),), shared) for name in ("pos", "neg"))


def prior_samples(greedy=("a b",), drawn=("c d",), given=()):
    """Sentences written from no other."""
    return greedy, drawn, given


def sentence_findings(**changes):
    """Findings of a sentence model with a fixed concentration, from what the sections read of it."""
    values = {
        "run": run(), "setting": STANDARD, "latent": FIXED, "published": (), "published_protocol": (),
        "published_vocabulary_size": None, "mean_code_perplexity": None, "prior_samples": prior_samples(),
        "label_samples": None, "reconstructions": (Reconstruction("a b", "a c", 6.0, 3),),
        "overlap": WordOverlap(0.5, 0.25, 40), "interpolations": (Interpolation("a b", "c d", (0.0, 1.0), ("a b", "c c")),),
        "num_searched": 900, "neighbors": (NeighborList(excerpt(0), (Neighbor(excerpt(1), 0.9, None),)),),
        "label_agreement": None, "word_order": word_order(),
        "beyond_bag_of_words": BeyondBagOfWords(0.2, 0.01, 0.9, 0.02, 417), "use": code_use(), "code_map": code_map(),
    }  # fmt: skip
    assert set(changes) <= set(values)
    v = SimpleNamespace(**{**values, **changes})
    context = SimpleNamespace(run=v.run, noun="sentence", latent=v.latent, code_use=v.use)
    records = [
        SentenceOverview(v.run, v.latent, v.setting),
        SentenceResults(
            v.run.metrics, v.run.test_examples, v.run.vocabulary_size, v.latent, v.setting, v.published,
            v.published_protocol, v.published_vocabulary_size, v.mean_code_perplexity,
        ),
        Training.find(context),
        PriorSamples(*v.prior_samples, v.latent is not None, v.setting.reads),
        LabelSamples(v.label_samples, 1000, v.setting, v.latent is not None) if v.label_samples else None,
    ]  # fmt: skip
    if v.latent is not None:
        records += [
            Reconstructions(v.reconstructions, v.overlap, v.setting.given),
            Interpolations(v.interpolations, v.latent.description.path, v.setting.given),
            sentence_groups(v.setting.reads_label),
            SentenceMap(v.code_map),
            SentenceNeighbors(
                v.neighbors, v.num_searched, v.run.train_examples, v.label_agreement, v.setting.reads_label
            ),
            OrderOfWords(
                v.latent.description.posterior,
                v.word_order,
                v.beyond_bag_of_words,
                v.setting.order_free_encoder,
                v.setting.reads_label,
            ),
        ]
    records += [UseOfCode.find(context), Protocol.find(context)]
    return Findings(tuple(record for record in records if record is not None))


def document_findings(**changes):
    """Findings of a document model with a fixed concentration on labeled documents, from what the sections read of it."""
    values = {
        "run": run(), "latent": FIXED, "published": (), "published_vocabulary_size": None, "topics": topic_view(),
        "labels": (WordsOfLabel("red", ("a", "b"), 500), WordsOfLabel("blue", ("c", "d"), 400)), "num_labels": 2,
        "code_map": code_map(), "label_agreement": LabelAgreement(0.7, 0.5, 5),
        "neighbors": (NeighborList(excerpt(0), (Neighbor(excerpt(1), 0.9, True),)),),
        "path": LabelPath("great circle", "red", "blue", -0.5, (0.0, 1.0), (("a", "b"), ("c", "d"))),
        "code_use": code_use(),
        "axes": tuple(AxisWords(name, ("x", "y"), -0.1) for name in ("+e1", "-e1", "+e2", "-e2")),
    }  # fmt: skip
    assert set(changes) <= set(values)
    v = SimpleNamespace(**{**values, **changes})
    context = SimpleNamespace(run=v.run, noun="document", latent=v.latent, code_use=v.code_use)
    records = (
        None if v.topics is None else Topics(v.topics),
        DocumentOverview(v.run, v.latent),
        DocumentResults(
            v.run.metrics, v.run.test_examples, v.run.vocabulary_size, v.latent, v.published,
            v.published_vocabulary_size,
        ),
        Training.find(context),
        LabelWords(v.labels, v.num_labels) if v.labels else None,
        DocumentMap(v.code_map),
        DocumentNeighbors(v.neighbors, v.label_agreement),
        v.path,
        UseOfCode.find(context),
        Axes(v.latent, v.axes, -0.1, 0.9),
        Protocol.find(context),
    )  # fmt: skip
    return Findings(tuple(record for record in records if record is not None))

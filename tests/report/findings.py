"""Findings made by hand: reports are tested on what they say of them."""

import numpy as np

from tf_vmf.layers import GaussianLatent, VonMisesFisherLatent
from tf_vmf.report.engine import (
    AxisWords,
    BeyondBagOfWords,
    ClusterTopic,
    CodeMap,
    CodeUse,
    DocumentFindings,
    DocumentTopics,
    Excerpt,
    Interpolation,
    LabelAgreement,
    LabelComparison,
    LabelPath,
    LabelSamples,
    LabelWords,
    Neighbour,
    NeighbourList,
    PriorSamples,
    Reconstruction,
    RelevantWords,
    Run,
    SentenceCodes,
    SentenceFindings,
    SentenceGroup,
    SentenceGroups,
    SentenceSetting,
    WordOrder,
    WordOverlap,
)
from tf_vmf.report.engine.run import describe_latent

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
        "topics": np.array([0, 0, 0, 1, 1]), "topic_names": ("1. word1a", "2. word2a"),
        "titles": tuple(f"title {i}" for i in range(5)), "beginnings": tuple(f"Some text {i}." for i in range(5)),
        "neighbours": np.array([[1, 2], [0, 2], [3, 1], [2, 1], [3, 2]]), "cosines": np.full((5, 2), 0.5),
    }  # fmt: skip
    return CodeMap(**{**values, **changes})


def sentence_groups(**changes):
    """Two groups of sentences."""
    groups = tuple(
        SentenceGroup(i, f"word{i}a", relevant_words(i).words, 10, 0.5, (("pos", 6),), (excerpt(i),), relevant_words(i))
        for i in (1, 2)
    )
    values = {"clusters": groups, "centres": np.eye(2), "num_sentences": 900, "relevance_weight": 0.2, "nmi": 0.25}
    return SentenceGroups(**{**values, **changes})


def sentence_codes(**changes):
    """What was found about the codes of a sentence model."""
    values = {
        "reconstructions": (Reconstruction("a b", "a c", 6.0, 3),),
        "overlap": WordOverlap(0.5, 0.25, 40),
        "interpolations": (Interpolation("a b", "c d", (0.0, 1.0), ("a b", "c c")),),
        "num_searched": 900,
        "neighbours": (NeighbourList(excerpt(0), (Neighbour(excerpt(1), 0.9, None),)),),
        "label_agreement": None,
        "word_order": word_order(),
        "beyond_bag_of_words": BeyondBagOfWords(0.2, 0.01, 0.9, 0.02, 417),
        "use": code_use(),
        "groups": sentence_groups(),
        "code_map": code_map(),
    }
    return SentenceCodes(**{**values, **changes})


def sentence_findings(**changes):
    """Findings of a sentence model with a fixed concentration."""
    values = {
        "run": run(), "setting": STANDARD, "latent": FIXED, "published": (), "published_protocol": (),
        "published_vocabulary_size": None, "mean_code_perplexity": None,
        "prior_samples": PriorSamples(("a b",), ("c d",), ()), "label_samples": None, "codes": sentence_codes(),
    }  # fmt: skip
    return SentenceFindings(**{**values, **changes})


def label_comparison(words=(("good", 5.0),), shared=1):
    """Samples of two labels."""
    return LabelComparison(
        tuple(LabelSamples(name, ("a b", "c d"), words, (("good", 9.0),), shared) for name in ("pos", "neg")), 1000
    )


def cluster_topic(number, labels=(("red", 6), ("blue", 4))):
    """A topic of ten documents."""
    words = relevant_words(number).words
    shown = tuple(excerpt(i) for i in range(3))
    return ClusterTopic(
        number, ", ".join(words[:3]), words, (0.1,) * 10, 10, 0.1, 0.25, labels, shown, relevant_words(number)
    )


def document_topics(**changes):
    """Two topics, and the ends of two axes."""
    values = {
        "clusters": (cluster_topic(1), cluster_topic(2)), "centres": np.eye(2), "num_documents": 900,
        "relevance_weight": 0.6, "npmi": 0.25,
        "diversity": 0.8, "diversity_words": 25, "nmi": 0.6,
        "axes": tuple(AxisWords(name, ("x", "y"), -0.1) for name in ("+e1", "-e1", "+e2", "-e2")),
        "axes_npmi": -0.1, "axes_diversity": 0.9,
    }  # fmt: skip
    return DocumentTopics(**{**values, **changes})


def document_findings(**changes):
    """Findings of a document model with a fixed concentration on labelled documents."""
    values = {
        "run": run(), "latent": FIXED, "published": (), "published_vocabulary_size": None, "topics": document_topics(),
        "labels": (LabelWords("red", ("a", "b"), 500), LabelWords("blue", ("c", "d"), 400)), "num_labels": 2,
        "code_map": code_map(),
        "label_agreement": LabelAgreement(0.7, 0.5, 5),
        "neighbours": (NeighbourList(excerpt(0), (Neighbour(excerpt(1), 0.9, True),)),),
        "path": LabelPath("red", "blue", -0.5, (0.0, 1.0), (("a", "b"), ("c", "d"))), "code_use": code_use(),
    }  # fmt: skip
    return DocumentFindings(**{**values, **changes})

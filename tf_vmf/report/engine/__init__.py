"""Analysis of trained models, as numbers: codes, neighbors, projections, and how codes depend on the order of words."""

from tf_vmf.report.engine.encodings import Encodings, encode, encode_sentences, label_centers
from tf_vmf.report.engine.maps import Projection, project
from tf_vmf.report.engine.neighbors import (
    LabelAgreement,
    Neighbors,
    label_agreement,
    label_precision,
    nearest_neighbors,
)
from tf_vmf.report.engine.sentence_decoding import interpolate_sentences
from tf_vmf.report.engine.word_order import BeyondBagOfWords, WordOrder, beyond_bag_of_words, word_order_sensitivity
from tf_vmf.report.engine.words import DistinctiveWords, distinctive_words

__all__ = [
    "BeyondBagOfWords",
    "DistinctiveWords",
    "Encodings",
    "LabelAgreement",
    "Neighbors",
    "Projection",
    "WordOrder",
    "beyond_bag_of_words",
    "distinctive_words",
    "encode",
    "encode_sentences",
    "interpolate_sentences",
    "label_agreement",
    "label_centers",
    "label_precision",
    "nearest_neighbors",
    "project",
    "word_order_sensitivity",
]

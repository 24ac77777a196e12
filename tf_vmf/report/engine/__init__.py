"""Analysis of trained models, as numbers: topics, neighbours, paths between codes, projections, and the findings of a report.

`find_documents`, `find_sentences` and `find_sweep` compute all that a report says; `tf_vmf.report` renders it.
"""

from tf_vmf.report.engine.beyond_bag_of_words import BeyondBagOfWords, beyond_bag_of_words
from tf_vmf.report.engine.clusters import Clusters, cluster_codes
from tf_vmf.report.engine.code_map import CodeMap, map_codes
from tf_vmf.report.engine.distinctive_words import DistinctiveWords, distinctive_words
from tf_vmf.report.engine.document_findings import DocumentFindings, find_documents
from tf_vmf.report.engine.document_topics import AxisWords, ClusterTopic, DocumentTopics, LabelPath, LabelWords
from tf_vmf.report.engine.encodings import Encodings, encode, encode_sentences, label_centres
from tf_vmf.report.engine.excerpts import Excerpt, Neighbour, NeighbourList
from tf_vmf.report.engine.label_samples import LabelComparison, LabelSamples
from tf_vmf.report.engine.neighbours import (
    LabelAgreement,
    Neighbours,
    label_agreement,
    label_precision,
    nearest_neighbours,
)
from tf_vmf.report.engine.projection import Projection, project
from tf_vmf.report.engine.published import (
    PublishedResult,
    PublishedSentenceResult,
    published_results,
    published_sentence_results,
)
from tf_vmf.report.engine.relevant_words import RelevantWords, relevant_words
from tf_vmf.report.engine.run import CodeUse, Latent, Run, use_of_code
from tf_vmf.report.engine.sentence_decoding import interpolate_sentences
from tf_vmf.report.engine.sentence_examples import Interpolation, PriorSamples, Reconstruction, WordOverlap
from tf_vmf.report.engine.sentence_findings import SentenceCodes, SentenceFindings, SentenceSetting, find_sentences
from tf_vmf.report.engine.sentence_groups import SentenceGroup, SentenceGroups
from tf_vmf.report.engine.serialization import from_json, to_json
from tf_vmf.report.engine.sweep import SweepFindings, SweepPoint, find_sweep, sweep_points
from tf_vmf.report.engine.word_order import WordOrder, word_order_sensitivity

__all__ = [
    "AxisWords",
    "BeyondBagOfWords",
    "ClusterTopic",
    "Clusters",
    "CodeMap",
    "CodeUse",
    "DistinctiveWords",
    "DocumentFindings",
    "DocumentTopics",
    "Encodings",
    "Excerpt",
    "Interpolation",
    "LabelAgreement",
    "LabelComparison",
    "LabelPath",
    "LabelSamples",
    "LabelWords",
    "Latent",
    "Neighbour",
    "NeighbourList",
    "Neighbours",
    "PriorSamples",
    "Projection",
    "PublishedResult",
    "PublishedSentenceResult",
    "Reconstruction",
    "RelevantWords",
    "Run",
    "SentenceCodes",
    "SentenceFindings",
    "SentenceGroup",
    "SentenceGroups",
    "SentenceSetting",
    "SweepFindings",
    "SweepPoint",
    "WordOrder",
    "WordOverlap",
    "beyond_bag_of_words",
    "cluster_codes",
    "distinctive_words",
    "encode",
    "encode_sentences",
    "find_documents",
    "find_sentences",
    "find_sweep",
    "from_json",
    "interpolate_sentences",
    "label_agreement",
    "label_centres",
    "label_precision",
    "map_codes",
    "nearest_neighbours",
    "project",
    "published_results",
    "published_sentence_results",
    "relevant_words",
    "sweep_points",
    "to_json",
    "use_of_code",
    "word_order_sensitivity",
]

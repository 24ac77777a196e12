"""Analysis of trained models: neighbours, paths between codes, projections, figures and the HTML report."""

from tf_vmf.analysis.beyond_bag_of_words import BeyondBagOfWords, beyond_bag_of_words
from tf_vmf.analysis.clusters import Clusters, cluster_codes
from tf_vmf.analysis.distinctive_words import DistinctiveWords, distinctive_words
from tf_vmf.analysis.document_report import document_report
from tf_vmf.analysis.encodings import Encodings, encode, encode_sentences, label_centres
from tf_vmf.analysis.neighbours import Neighbours, label_precision, nearest_neighbours
from tf_vmf.analysis.projection import Projection, project
from tf_vmf.analysis.published import (
    PublishedResult,
    PublishedSentenceResult,
    published_results,
    published_sentence_results,
)
from tf_vmf.analysis.report import (
    Code,
    Headline,
    Image,
    Passage,
    PassageList,
    Row,
    Section,
    Table,
    Text,
    write_report,
)
from tf_vmf.analysis.sentence_decoding import interpolate_sentences
from tf_vmf.analysis.sentence_report import sentence_report
from tf_vmf.analysis.sweep import SweepPoint, best_point, sweep_points, sweep_report, sweep_table
from tf_vmf.analysis.word_order import WordOrder, word_order_sensitivity

__all__ = [
    "BeyondBagOfWords",
    "Clusters",
    "Code",
    "DistinctiveWords",
    "Encodings",
    "Headline",
    "Image",
    "Neighbours",
    "Passage",
    "PassageList",
    "Projection",
    "PublishedResult",
    "PublishedSentenceResult",
    "Row",
    "Section",
    "SweepPoint",
    "Table",
    "Text",
    "WordOrder",
    "best_point",
    "beyond_bag_of_words",
    "cluster_codes",
    "distinctive_words",
    "document_report",
    "encode",
    "encode_sentences",
    "interpolate_sentences",
    "label_centres",
    "label_precision",
    "nearest_neighbours",
    "project",
    "published_results",
    "published_sentence_results",
    "sentence_report",
    "sweep_points",
    "sweep_report",
    "sweep_table",
    "word_order_sensitivity",
    "write_report",
]

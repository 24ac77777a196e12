"""Analysis of trained models: neighbours, paths between codes, projections, figures and the HTML report."""

from tf_vmf.analysis.clusters import Clusters, cluster_codes
from tf_vmf.analysis.document_report import document_report
from tf_vmf.analysis.encodings import Encodings, encode, label_centres
from tf_vmf.analysis.interpolation import great_circle, interpolate, straight_line
from tf_vmf.analysis.neighbours import Neighbours, label_precision, nearest_neighbours
from tf_vmf.analysis.projection import Projection, project
from tf_vmf.analysis.published import PublishedResult, published_results
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

__all__ = [
    "Clusters",
    "Code",
    "Encodings",
    "Headline",
    "Image",
    "Neighbours",
    "Passage",
    "PassageList",
    "Projection",
    "PublishedResult",
    "Row",
    "Section",
    "Table",
    "Text",
    "cluster_codes",
    "document_report",
    "encode",
    "great_circle",
    "interpolate",
    "label_centres",
    "label_precision",
    "nearest_neighbours",
    "project",
    "published_results",
    "straight_line",
    "write_report",
]

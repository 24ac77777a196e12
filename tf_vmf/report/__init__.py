"""Reports: HTML pages of findings, figures, and the summary for the terminal. `tf_vmf.report.engine` computes the findings."""

from tf_vmf.report.document_report import document_report
from tf_vmf.report.page import (
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
from tf_vmf.report.sentence_report import sentence_report
from tf_vmf.report.summary import summary
from tf_vmf.report.sweep_report import sweep_report, sweep_table

__all__ = [
    "Code",
    "Headline",
    "Image",
    "Passage",
    "PassageList",
    "Row",
    "Section",
    "Table",
    "Text",
    "document_report",
    "sentence_report",
    "summary",
    "sweep_report",
    "sweep_table",
    "write_report",
]

"""Reports: one HTML page out of sections, each of which finds its record and renders it, and the summary for the terminal.

`tf_vmf.report.engine` holds the analyses behind them.
"""

from tf_vmf.report.context import DocumentContext, SentenceContext
from tf_vmf.report.page.page import Code, Headline, Image, Passage, PassageList, Row, Section, Table, Text, write_report
from tf_vmf.report.reports import (
    DOCUMENT_SECTIONS,
    SENTENCE_SECTIONS,
    document_report,
    find_documents,
    find_sentences,
    sentence_report,
)
from tf_vmf.report.section import Findings, ReportSection, register_section
from tf_vmf.report.summary import summary
from tf_vmf.report.sweep import SweepFindings, SweepPoint, find_sweep, sweep_points, sweep_report, sweep_table

__all__ = [
    "DOCUMENT_SECTIONS",
    "SENTENCE_SECTIONS",
    "Code",
    "DocumentContext",
    "Findings",
    "Headline",
    "Image",
    "Passage",
    "PassageList",
    "ReportSection",
    "Row",
    "Section",
    "SentenceContext",
    "SweepFindings",
    "SweepPoint",
    "Table",
    "Text",
    "document_report",
    "find_documents",
    "find_sentences",
    "find_sweep",
    "register_section",
    "sentence_report",
    "summary",
    "sweep_points",
    "sweep_report",
    "sweep_table",
    "write_report",
]

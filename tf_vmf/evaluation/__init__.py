"""Evaluation: bounds, perplexities, information in the code, topics."""

from tf_vmf.evaluation.bounds import evaluate
from tf_vmf.evaluation.information import active_units, mutual_information

__all__ = ["active_units", "evaluate", "mutual_information"]

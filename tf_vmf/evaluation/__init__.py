"""Evaluation: bounds, perplexities, information in the code, topics."""

from tf_vmf.evaluation.bounds import (
    active_units,
    evaluate,
    mean_code_perplexity,
    mutual_information,
    refined_bounds,
    unigram_perplexity,
)
from tf_vmf.evaluation.topics import (
    Topic,
    inverted_rbo,
    npmi_coherence,
    purity,
    topic_coherence,
    topic_diversity,
    topics,
)

__all__ = [
    "Topic",
    "active_units",
    "evaluate",
    "inverted_rbo",
    "mean_code_perplexity",
    "mutual_information",
    "npmi_coherence",
    "purity",
    "refined_bounds",
    "topic_coherence",
    "topic_diversity",
    "topics",
    "unigram_perplexity",
]

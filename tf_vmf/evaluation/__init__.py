"""Evaluation: bounds, perplexities, information in the code, topics."""

from tf_vmf.evaluation.bounds import evaluate, mean_code_perplexity, refined_bounds, unigram_perplexity
from tf_vmf.evaluation.information import active_units, mutual_information
from tf_vmf.evaluation.topic_measures import (
    inverted_rbo,
    purity,
    topic_coherence,
)
from tf_vmf.evaluation.topics import Topic, npmi_coherence, topic_diversity, topics

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

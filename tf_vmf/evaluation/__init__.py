"""Evaluation: bounds, perplexities, information in the code, topics."""

from tf_vmf.evaluation.bounds import evaluate, mean_code_perplexity
from tf_vmf.evaluation.information import active_units, mutual_information
from tf_vmf.evaluation.topics import Topic, npmi_coherence, topic_diversity, topics
from tf_vmf.evaluation.unigram import unigram_log_probabilities, unigram_perplexity

__all__ = [
    "Topic",
    "active_units",
    "evaluate",
    "mean_code_perplexity",
    "mutual_information",
    "npmi_coherence",
    "topic_diversity",
    "topics",
    "unigram_log_probabilities",
    "unigram_perplexity",
]

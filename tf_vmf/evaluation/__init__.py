"""Evaluation: bounds, perplexities, information in the code, topics."""

from tf_vmf.evaluation.bounds import evaluate, mean_code_perplexity, refined_bounds
from tf_vmf.evaluation.clustering import inverted_rbo, normalized_mutual_information, purity
from tf_vmf.evaluation.coherence import COHERENCE_WINDOWS, topic_coherence
from tf_vmf.evaluation.information import active_units, mutual_information
from tf_vmf.evaluation.topics import Topic, npmi_coherence, topic_diversity, topics
from tf_vmf.evaluation.unigram import unigram_log_probabilities, unigram_perplexity

__all__ = [
    "COHERENCE_WINDOWS",
    "Topic",
    "active_units",
    "evaluate",
    "inverted_rbo",
    "mean_code_perplexity",
    "mutual_information",
    "normalized_mutual_information",
    "npmi_coherence",
    "purity",
    "refined_bounds",
    "topic_coherence",
    "topic_diversity",
    "topics",
    "unigram_log_probabilities",
    "unigram_perplexity",
]

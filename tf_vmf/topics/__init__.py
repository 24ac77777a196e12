"""Topic models: clusters of the codes of documents, with words, labels, tables, reports and files."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.topics.topic_model import TopicModel

__all__ = ["TopicModel"]

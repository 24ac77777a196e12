"""Corpora: from text to batches."""

from tf_vmf.data import corpora, prepared  # noqa: F401  (they register corpora)
from tf_vmf.data.batches import Examples
from tf_vmf.data.corpus import BagOfWordsCorpus, Corpus, SentenceCorpus
from tf_vmf.data.documents import Documents
from tf_vmf.data.load import load_bag_of_words, load_sentences, prepare_documents, prepare_sentences
from tf_vmf.data.registry import register_corpus
from tf_vmf.data.sentences import Sentences

__all__ = [
    "BagOfWordsCorpus",
    "Corpus",
    "Documents",
    "Examples",
    "SentenceCorpus",
    "Sentences",
    "load_bag_of_words",
    "load_sentences",
    "prepare_documents",
    "prepare_sentences",
    "register_corpus",
]

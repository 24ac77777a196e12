"""Corpora: from files to `tf.data`."""

from tf_vmf.data.batches import (
    epoch_order,
    evaluation_batches,
    prefer_sparse,
    steps_per_epoch,
    training_batches,
    training_rows,
)
from tf_vmf.data.document_vectorization import DocumentVectorization
from tf_vmf.data.documents import BagOfWordsCorpus, Documents
from tf_vmf.data.load import BAG_OF_WORDS_CORPORA, load_bag_of_words
from tf_vmf.data.load_sentences import SENTENCE_CORPORA, load_sentences
from tf_vmf.data.prepare import prepare_documents, prepare_sentences
from tf_vmf.data.records import Records
from tf_vmf.data.sentence_batches import (
    evaluation_order,
    sentence_batches,
    sentence_evaluation_batches,
    sentence_rows,
)
from tf_vmf.data.sentence_vectorization import SentenceVectorization
from tf_vmf.data.sentences import SentenceCorpus, Sentences, to_text
from tf_vmf.data.special_tokens import EOS_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID
from tf_vmf.data.vocabulary import STANDARDIZERS, text_vectorization

__all__ = [
    "BAG_OF_WORDS_CORPORA",
    "EOS_ID",
    "PAD_ID",
    "SENTENCE_CORPORA",
    "SPECIAL_TOKENS",
    "STANDARDIZERS",
    "UNK_ID",
    "BagOfWordsCorpus",
    "DocumentVectorization",
    "Documents",
    "Records",
    "SentenceCorpus",
    "SentenceVectorization",
    "Sentences",
    "epoch_order",
    "evaluation_batches",
    "evaluation_order",
    "load_bag_of_words",
    "load_sentences",
    "prefer_sparse",
    "prepare_documents",
    "prepare_sentences",
    "sentence_batches",
    "sentence_evaluation_batches",
    "sentence_rows",
    "steps_per_epoch",
    "text_vectorization",
    "to_text",
    "training_batches",
    "training_rows",
]

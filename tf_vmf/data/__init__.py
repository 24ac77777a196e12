"""Corpora: from files to `tf.data`."""

from tf_vmf.data.batches import epoch_order, evaluation_batches, prefer_sparse, steps_per_epoch, training_batches
from tf_vmf.data.documents import BagOfWordsCorpus, Documents
from tf_vmf.data.load import BAG_OF_WORDS_CORPORA, load_bag_of_words
from tf_vmf.data.vocabulary import STANDARDIZERS, text_vectorization

__all__ = [
    "BAG_OF_WORDS_CORPORA",
    "STANDARDIZERS",
    "BagOfWordsCorpus",
    "Documents",
    "epoch_order",
    "evaluation_batches",
    "load_bag_of_words",
    "prefer_sparse",
    "steps_per_epoch",
    "text_vectorization",
    "training_batches",
]

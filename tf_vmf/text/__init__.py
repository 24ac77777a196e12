"""From strings to word counts and token ids: tokenizing, vocabularies, and the layers that do the same inside a model."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.text.scikit_learn import as_vectorizer
from tf_vmf.text.tokenization import TOKENIZATIONS, Tokenizer, split_sentences
from tf_vmf.text.tokens import EOS_ID, FIRST_WORD_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, to_text
from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization

__all__ = [
    "EOS_ID",
    "FIRST_WORD_ID",
    "PAD_ID",
    "SPECIAL_TOKENS",
    "TOKENIZATIONS",
    "UNK_ID",
    "DocumentVectorization",
    "SentenceVectorization",
    "Tokenizer",
    "as_vectorizer",
    "split_sentences",
    "to_text",
]

"""From strings to word counts and token ids: tokenizing, vocabularies, and the layers that do the same inside a model.

The layers are imported on first use, as they need TensorFlow.
"""

from typing import TYPE_CHECKING

from tf_vmf._lazy import lazy_names
from tf_vmf.text.tokenization import TOKENIZATIONS, Tokenizer, split_sentences
from tf_vmf.text.vocabulary import EOS_ID, FIRST_WORD_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, to_text

if TYPE_CHECKING:
    from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization, as_vectorizer

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

if not TYPE_CHECKING:
    _LAYERS = ["DocumentVectorization", "SentenceVectorization", "as_vectorizer"]
    __getattr__ = lazy_names(__name__, {"vectorization": _LAYERS})[0]

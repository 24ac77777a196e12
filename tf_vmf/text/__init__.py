"""From strings to word counts and token ids: tokenizing, vocabularies, and the layers that do the same inside a model.

The layers are imported on first use, as they need TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

from tf_vmf.text.tokenization import TOKENIZATIONS, Tokenizer, split_sentences
from tf_vmf.text.tokens import EOS_ID, FIRST_WORD_ID, PAD_ID, SPECIAL_TOKENS, UNK_ID, to_text

if TYPE_CHECKING:
    from tf_vmf.text.scikit_learn import as_vectorizer
    from tf_vmf.text.vectorization import DocumentVectorization, SentenceVectorization

_LAYERS = {
    "DocumentVectorization": "vectorization",
    "SentenceVectorization": "vectorization",
    "as_vectorizer": "scikit_learn",
}

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

    def __getattr__(name: str) -> Any:
        if name not in _LAYERS:
            raise AttributeError(f"module 'tf_vmf.text' has no attribute {name!r}. Its names are {', '.join(__all__)}.")
        return getattr(importlib.import_module(f"tf_vmf.text.{_LAYERS[name]}"), name)

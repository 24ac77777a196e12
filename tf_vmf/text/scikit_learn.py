"""Text layers from the vectorizers of scikit-learn."""

from __future__ import annotations

from typing import Any

from tf_vmf._errors import ArgumentError
from tf_vmf.text.vectorization import DocumentVectorization, TextLayer

# Arguments of `CountVectorizer`, and the one value of each that a graph can follow.
_ARGUMENTS = {
    "analyzer": "word",
    "binary": False,
    "input": "content",
    "lowercase": True,
    "preprocessor": None,
    "strip_accents": None,
    "token_pattern": r"(?u)\b\w\w+\b",
    "tokenizer": None,
}


def as_vectorizer(vectorizer: Any) -> TextLayer | None:
    """A text layer, as it is or from a fitted `sklearn.feature_extraction.text.CountVectorizer`; None stays None.

    The layer runs inside a TensorFlow graph, as a saved model needs it, and counts as the vectorizer does.

    ```python
    from sklearn.feature_extraction.text import CountVectorizer

    words = CountVectorizer().fit(["red moon", "red sea"])
    tf_vmf.text.as_vectorizer(words)(["Red, red moon!"])  # [[1, 2, 0]]
    ```

    Raises:
        ValueError: It is not fitted; it is another vectorizer, such as one of TF-IDF weights; it was made with an argument that a
            graph cannot follow, such as a function, or with stop words beside runs of words or a vocabulary.
    """
    if vectorizer is None or isinstance(vectorizer, TextLayer):
        return vectorizer
    kind = type(vectorizer).__name__
    if kind != "CountVectorizer" or not hasattr(vectorizer, "get_params"):
        expected = (
            "the layer `corpus.vectorizer()`, a CountVectorizer of scikit-learn, or None for a model without endpoints "
        )
        raise ArgumentError("vectorizer", f"{expected}for text", kind)
    parameters = vectorizer.get_params()
    wanted = dict(_ARGUMENTS)
    # In runs, words on both sides of a stop word become neighbors; and a vocabulary that was given may hold one, whose count is 0.
    if tuple(parameters["ngram_range"]) != (1, 1) or parameters["vocabulary"] is not None:
        wanted["stop_words"] = None
    for name, value in wanted.items():
        if parameters[name] != value:
            raise ArgumentError(
                "vectorizer",
                f"a CountVectorizer with {name}={value!r}, which a saved model can follow",
                f"{name}={parameters[name]!r}",
                "Leave the vectorizer out to serve the endpoints that take counts.",
            )
    if not hasattr(vectorizer, "vocabulary_") and parameters["vocabulary"] is None:
        raise ArgumentError("vectorizer", "a fitted CountVectorizer", "one that is not", "Call its `fit`.")
    return DocumentVectorization(
        list(vectorizer.get_feature_names_out()),
        tokenization="scikit-learn",
        ngram_range=tuple(parameters["ngram_range"]),
        separator=" ",
    )

"""Coherence of topics in documents whose words have an order, by gensim."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_vmf._optional import optional
from tf_vmf.evaluation.topics import Topic, first_words

# Words per window, as in gensim and in the literature; None: the whole document.
COHERENCE_WINDOWS: dict[str, int | None] = {"c_npmi": 10, "c_v": 110, "u_mass": None}


def topic_coherence(
    topics: Sequence[Topic | Sequence[str]],
    documents: Sequence[Sequence[str]],
    measure: str = "c_npmi",
    *,
    num_words: int = 10,
) -> np.ndarray:
    """Coherence of each topic: how much its words occur together in documents (Röder et al., 2015).

    - `"c_npmi"`: mean normalised pointwise mutual information of pairs in windows of 10 words, in [-1, 1];
    - `"c_v"`: cosines of the NPMI vectors of the words in windows of 110 words, in [0, 1];
    - `"u_mass"`: mean log conditional probability of pairs in whole documents, <= about 0.

    In a sliding window gensim 4.4 drops a word that is still in it when an earlier occurrence of the word leaves.
    Figures for different windows cannot be compared: with documents as windows (`npmi_coherence`) NPMI is up to four times as high.

    ```python
    tf_vmf.evaluation.topic_coherence([["moon", "orbit"]], [["the", "moon", "orbit"], ["a", "moon"], ["an", "apple"]])
    ```

    Args:
        topics: Topics, or lists of words.
        documents: The words of each document in reading order.
        measure: `"c_npmi"`, `"c_v"` or `"u_mass"`.
        num_words: How many words of each topic to use.

    Returns:
        Shape (len(topics),), float64.

    Raises:
        ModuleNotFoundError: gensim is not installed.
        ValueError: No such measure, or a topic has fewer than two words or a word that occurs in no document.

    References:
        M. Röder, A. Both and A. Hinneburg. Exploring the Space of Topic Coherence Measures. WSDM 2015.
    """
    if measure not in COHERENCE_WINDOWS:
        raise ValueError(
            f"Argument `measure`: expected one of {', '.join(COHERENCE_WINDOWS)}. Received: measure={measure!r}."
        )
    with optional("demo", "Coherences of topics"):
        from gensim.corpora import Dictionary
        from gensim.models import CoherenceModel

    rows = first_words(topics, num_words, "topic_coherence", exact=False)
    dictionary = Dictionary(documents)
    for row in rows:
        unknown = [word for word in row if word not in dictionary.token2id]
        if unknown:
            raise ValueError(f"Argument `topics`: expected words of the documents. Received: {unknown[0]!r}.")
    model = CoherenceModel(
        topics=rows, texts=documents, dictionary=dictionary, coherence=measure, topn=max(map(len, rows)), processes=1
    )
    return np.asarray(model.get_coherence_per_topic(), np.float64)

"""Tables and the report of a topic model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tf_vmf.topics import frames
from tf_vmf.topics.document_methods import DocumentMethods
from tf_vmf.topics.documents import is_texts
from tf_vmf.topics.state import check_integer
from tf_vmf.topics.word_methods import WordMethods

if TYPE_CHECKING:
    import pandas as pd


class TableMethods(DocumentMethods, WordMethods):
    """The methods of `TopicModel` that make tables and the report."""

    def topic_info(self, num_words: int = 10) -> pd.DataFrame:
        """A data frame with a row per topic.

        Columns: `topic`, `label`, `size` (training documents whose largest proportion it is), `share` (mean proportion), `words`,
        `c_npmi` (of the first ten words in the training documents; window of 10 words, or the whole document for counts) and
        `representative_documents` (positions of the three training documents nearest to the topic's densest point).

        Raises:
            ModuleNotFoundError: pandas or gensim is not installed: pip install 'tf-vmf[topics]'.
        """
        check_is_fitted(self, "model_")
        words = min(num_words, len(self.vocabulary_))
        return frames.topic_info(self._topics, self.vocabulary_, self.topics(words), self.topic_labels(), self.labels_)

    def document_info(self, X: Any) -> pd.DataFrame:
        """A data frame with a row per document.

        Columns: `text` (None for counts), `topic` (that with the largest proportion), `label`, `probability` (that proportion)
        and `known_tokens`.

        Raises:
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        documents = self._read(X)
        proportions = self._topics.proportions(self._encode(documents), documents.known)
        texts = list(X) if is_texts(X) else None
        return frames.document_info(texts, proportions, self.topic_labels(), documents.lengths)

    def topics_per_class(self, classes: Sequence[Any], X: Any = None) -> pd.DataFrame:
        """How much of each class is about each topic.

        Args:
            classes: The class of each document; documents with None or NaN are left out.
            X: The documents; None for the training documents.

        Returns:
            A data frame with a row per class and topic: `class`, `topic`, `label`, `documents` (sum of proportions), `share` (of
            the class; the shares of a class sum to 1).

        Raises:
            ValueError: The number of classes is not that of the documents.
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        return frames.topics_by("class", classes, self._proportions_of(X), self.topic_labels())

    def topics_over_time(self, timestamps: Sequence[Any], X: Any = None, *, bins: int | None = None) -> pd.DataFrame:
        """How much of each period is about each topic.

        Args:
            timestamps: The time of each document: numbers, dates, or strings that pandas reads as dates. Documents with None or
                NaN are left out.
            X: The documents; None for the training documents.
            bins: The number of periods of equal length; None keeps every distinct time apart.

        Returns:
            A data frame with a row per period and topic: `time` (its start), `topic`, `label`, `documents`, `share`.

        Raises:
            ValueError: The number of timestamps is not that of the documents, or pandas cannot read one.
            ModuleNotFoundError: pandas is not installed: pip install 'tf-vmf[topics]'.
        """
        check_is_fitted(self, "model_")
        if bins is not None:
            check_integer("bins", bins, 1)
        periods = frames.periods(timestamps, bins)
        return frames.topics_by("time", periods, self._proportions_of(X), self.topic_labels())

    def _proportions_of(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        return self._topics.training_proportions() if X is None else self.transform(X)

    def report(self, path: str | Path, classes: Sequence[Any] | None = None, *, title: str = "Topics") -> None:
        """Writes an HTML page: topics with sizes, words, coherence and representative documents, and a map of documents.

        Args:
            path: The file.
            classes: The class of each training document, for a table of classes by topic; None for none. Documents whose class is
                None or NaN are left out of it.
            title: The heading.

        Raises:
            ModuleNotFoundError: jinja2, matplotlib, pandas or gensim is not installed: pip install 'tf-vmf[topics]'.
        """
        from tf_vmf.topics.report import write_topic_report

        check_is_fitted(self, "model_")
        write_topic_report(path, self, classes=classes, title=title)

"""What a topic model says about topics: their words and labels, merging, and topics of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tf_vmf.topics.documents import word_number
from tf_vmf.topics.fitted import find_words, merged_numbers
from tf_vmf.topics.state import TopicEstimator, check_integer

_WORD_PARAMETERS = ("relevance_weight", "exclusivity", "mode_concentration", "coherent_words")


class WordMethods(TopicEstimator):
    """The methods of `TopicModel` that read or change topics."""

    def topics(self, num_words: int = 10) -> list[list[str]]:
        """The first words of every topic.

        Args:
            num_words: Words per topic; `topics(5)` are the first five of `topics(10)`.

        Returns:
            `num_topics_` lists of `num_words` words.
        """
        check_is_fitted(self, "model_")
        check_integer("num_words", num_words, 1)
        if num_words > len(self.vocabulary_):
            raise ValueError(
                f"Argument `num_words`: expected a number from 1 to {len(self.vocabulary_)}, the vocabulary's size. "
                f"Received: {num_words!r}."
            )
        return [[self.vocabulary_[word] for word in row[:num_words]] for row in self._topics.ranking]

    def topic_labels(self) -> list[str]:
        """The label of every topic: the one that was set, or its first three words."""
        check_is_fitted(self, "model_")
        words = self.topics(min(3, len(self.vocabulary_)))
        return [self._labels.get(topic, ", ".join(row)) for topic, row in enumerate(words)]

    def find_topics(self, words: str | Sequence[str], num_topics: int = 5) -> list[tuple[int, float]]:
        """The topics that words most likely come from.

        Args:
            words: A word, or several that come from one topic.
            num_topics: How many topics to return at most.

        Returns:
            (topic, p(topic|words)) by falling probability.

        Raises:
            ValueError: There is no word, or one is not in the vocabulary; the message names similar ones.
        """
        check_is_fitted(self, "model_")
        check_integer("num_topics", num_topics, 1)
        numbers_ = [word_number(word, self.vocabulary_) for word in ([words] if isinstance(words, str) else words)]
        if not numbers_:
            raise ValueError("Argument `words`: expected a word or more. Received none.")
        topics = self._topics
        log_joint = np.log(np.maximum(topics.weights, 1e-12)) + topics.log_probabilities[:, numbers_].sum(axis=1)
        probabilities = np.exp(log_joint - log_joint.max())
        probabilities /= probabilities.sum()
        return [(int(topic), float(probabilities[topic])) for topic in np.argsort(-probabilities)[:num_topics]]

    def update_words(self, **parameters: Any) -> Self:
        """Ranks the words of the topics anew, without training: `model.update_words(exclusivity=0.0)`.

        Args:
            **parameters: New values of `relevance_weight`, `exclusivity`, `mode_concentration` and `coherent_words`.

        Raises:
            ValueError: Another parameter, or a value out of range.
        """
        check_is_fitted(self, "model_")
        wrong = [name for name in parameters if name not in _WORD_PARAMETERS]
        if wrong:
            raise ValueError(f"Expected some of {', '.join(_WORD_PARAMETERS)}. Received: {wrong[0]}.")
        self.set_params(**parameters)
        self._check_arguments()
        self._find_words(self._topics.topic_of)
        return self

    def _find_words(self, topic_of: np.ndarray) -> None:
        old = self._topics
        settings = self._word_settings()
        self._set_topics(find_words(self.model_, old.mixture, topic_of, old.documents, old.codes, settings))

    def merge_topics(self, groups: Sequence[Sequence[int]]) -> Self:
        """Merges groups of topics, in place.

        A merged topic takes the position of its smallest member; later topics move up. Its proportion is the sum of those of
        its members, its words are decoded anew, and it keeps a label where its members have just one.

        Args:
            groups: Two or more topics each, such as [[0, 3], [5, 7]].

        Raises:
            ValueError: A topic does not exist, is in two groups, or is alone in one.
        """
        check_is_fitted(self, "model_")
        old = self._topics
        new_number = merged_numbers(old.num_topics, groups)
        labels: dict[int, set[str]] = {}
        for topic, label in self._labels.items():
            labels.setdefault(int(new_number[topic]), set()).add(label)
        self._labels = {topic: names.pop() for topic, names in labels.items() if len(names) == 1}
        self._find_words(new_number[old.topic_of])
        return self

    def set_topic_labels(self, labels: Mapping[int, str | None] | Sequence[str | None]) -> Self:
        """Names topics.

        Args:
            labels: Names by topic, or a name for every topic. Topics that are not named keep their labels; None takes a name
                away, so that the first three words stand for it again.

        Raises:
            ValueError: A topic does not exist.
        """
        check_is_fitted(self, "model_")
        if isinstance(labels, str):
            raise ValueError(f"Argument `labels`: expected a name per topic, as {{0: 'space'}}. Received: {labels!r}.")
        if not isinstance(labels, Mapping) and len(labels) != self.num_topics_:
            raise ValueError(
                f"Argument `labels`: expected {self.num_topics_} names, one per topic. Received: {len(labels)}."
            )
        named = dict(labels) if isinstance(labels, Mapping) else dict(enumerate(labels))
        wrong = [topic for topic in named if topic not in range(self.num_topics_)]
        if wrong:
            raise ValueError(
                f"Argument `labels`: expected topics from 0 to {self.num_topics_ - 1}. Received: {wrong[0]!r}."
            )
        changed = {**self._labels, **{int(topic): label for topic, label in named.items()}}
        self._labels = {topic: str(label) for topic, label in changed.items() if label is not None}
        return self

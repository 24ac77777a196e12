"""Topics as the page shows them: their words as bars, in an order that a slider changes, and representative examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tf_vmf.report.engine.relevant_words import RelevantWords

SHOWN_WORDS = 10


@dataclass(frozen=True)
class Bar:
    """A word of a topic; lengths are percentages of the longest bar that is shown."""

    word: str
    probability: str
    overall: str
    length: float
    overall_length: float


@dataclass(frozen=True)
class TopicCard:
    """A topic.

    Attributes:
        number: Counted from 1.
        title: Its name and size.
        words: Its words.
        examples: Title and text of representative examples, nearest to the centre first.
        weight: Weight of the probability at which the words are shown first.
    """

    number: int
    title: str
    words: RelevantWords
    examples: Sequence[tuple[str, str]]
    weight: float

    @property
    def bars(self) -> list[Bar]:
        """The most relevant words, most relevant first."""
        shown = self.words.order(self.weight)[:SHOWN_WORDS]
        longest = max((self.words.probabilities[i] for i in shown), default=1.0)
        return [
            Bar(
                self.words.words[i],
                percent(self.words.probabilities[i]),
                percent(self.words.overall[i]),
                round(100 * self.words.probabilities[i] / longest, 1),
                round(min(100.0, 100 * self.words.overall[i] / longest), 1),
            )
            for i in shown
        ]


@dataclass(frozen=True)
class TopicCards:
    """Topics with a slider for the weight of the probability; without JavaScript they show the words at `weight`.

    Attributes:
        cards: The topics.
        path: Where the findings that `write_report` is given hold them, as "topics.clusters".
        weight: In [0, 1], the weight at first.
        noun: What a topic is called, as "topic".
    """

    cards: Sequence[TopicCard]
    path: str
    weight: float
    noun: str = "topic"
    kind: str = field(default="topics", init=False)


def percent(share: float) -> str:
    """A probability as a percentage with three digits or fewer, as the page's script writes it too."""
    return f"{100 * share:.2f} %" if share < 0.1 else f"{100 * share:.1f} %"

"""Sentences out of running English text, by rules."""

import re

# Not ends of sentences, though a capital may follow: titles, initials, and what usually precedes names and numbers.
_ABBREVIATIONS = (
    r"Mr|Mrs|Ms|Dr|Prof|Rev|Gen|Col|Lt|Sgt|Capt|Gov|Sen|Rep|St|Mt|Jr|Sr|Inc|Ltd|Co|Corp|No|Nos|Vol|Fig|pp?|ed|eds|"
    r"vs|cf|ca|approx|etc|e\.g|i\.e|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|\w"
)
_END = re.compile(
    r"(?<=[.!?])(?P<close>[\"'\u201d\u2019)\]]*)\s+(?=[\"'\u201c\u2018(\[]*[A-Z0-9\u00c0-\u00d6\u00d8-\u00de])",
)
_AFTER_ABBREVIATION = re.compile(rf"(?:^|[\s(\[\"'\u201c\u2018.])(?:{_ABBREVIATIONS})\.$")


def split_sentences(text: str) -> list[str]:
    """Splits text after `.`, `!` or `?`, closing quotes and brackets included, where a capital or a digit follows.

    No split follows a common abbreviation ("Dr.", "e.g.", "No.") or a single letter ("J. S. Bach", "U.S. Army"): where
    such a one does end a sentence, two sentences stay together.

    Returns:
        The sentences without surrounding space; at least one, which is empty only if the text is.
    """
    sentences = []
    start = 0
    for match in _END.finditer(text):
        # The last characters are enough: no abbreviation is longer.
        if not match["close"] and _AFTER_ABBREVIATION.search(text[max(start, match.start() - 12) : match.start()]):
            continue
        sentences.append(text[start : match.end("close")].strip())
        start = match.end()
    return [*sentences, text[start:].strip()]

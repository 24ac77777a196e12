"""Token ids with a fixed meaning, the same in every vocabulary of sentences; words follow them."""

from collections.abc import Sequence

import numpy as np

PAD_ID = 0  # fills the rows of a batch after the end of a sentence; never read, never predicted, counted nowhere
EOS_ID = 1  # ends every sentence
UNK_ID = 2  # stands for every word outside the vocabulary

SPECIAL_TOKENS = ("<pad>", "<eos>", "<unk>")  # their strings, at the positions of their ids
FIRST_WORD_ID = len(SPECIAL_TOKENS)


def to_text(ids: Sequence[int] | np.ndarray, vocabulary: Sequence[str]) -> str:
    """The words of one sentence of ids, separated by spaces: up to its first `<eos>`, without padding.

    ```python
    tf_vmf.text.to_text([3, 2, 1, 0], ["<pad>", "<eos>", "<unk>", "star"])  # "star <unk>"
    ```
    """
    words = []
    for token in np.asarray(ids).tolist():
        if token == EOS_ID:
            break
        if token != PAD_ID:
            words.append(vocabulary[token])
    return " ".join(words)

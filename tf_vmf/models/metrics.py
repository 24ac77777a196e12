"""Metrics of text models."""

from typing import Any

import keras


class Perplexity(keras.metrics.Mean):
    """Corpus perplexity: exp(sum of losses in nats / sum of tokens).

    Update it with losses a token and the numbers of tokens as weights.
    """

    def __init__(self, name: str = "perplexity", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def result(self) -> Any:
        return keras.ops.exp(super().result())

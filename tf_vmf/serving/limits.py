"""Limits on requests to the HTTP service, and the error of a request that cannot be answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class RequestError(ValueError):
    """A request that cannot be answered.

    Attributes:
        status: The HTTP status code.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def _numbers() -> dict[str, int]:
    return {
        "n": 1024,
        "num_samples": 1000,
        "num_points": 100,
        "num_words": 1000,
        "num_neighbors": 1000,
        "max_length": 500,
        "document_length": 100_000,
    }


def _products() -> dict[tuple[str, ...], int]:
    return {
        ("rows", "num_samples"): 20_000,
        ("rows", "num_points"): 20_000,
        ("n", "document_length"): 10_000_000,
        # Of sentence models, padding included: the first bounds memory, the second time.
        ("tokens",): 500_000,
        ("tokens", "num_samples"): 2_000_000,
    }


@dataclass(frozen=True)
class Limits:
    """Limits on one request, and on the service as a whole.

    Attributes:
        body_bytes: Size of the request's body, before and after decompression.
        body_seconds: Time in which the body must arrive.
        text_bytes: Size of one string.
        examples: Rows of every input.
        numbers: The largest value of scalar inputs, by name.
        products: The largest product of scalar inputs; "rows" is the number of rows, "tokens" that of all tokens that a sentence
            model reads, each row as long as the longest. They bound computing time and memory.
        length: Tokens of one text of a sentence model.
        answer_numbers: Numbers, or strings, in the answer.
        predictions: Predictions that are computed at once; None for as many as there are cores.
        seconds: Time that a prediction may take, waiting included.
        connections: Connections that may be open at once.
        idle_seconds: Time in which the headers of a request must arrive, and after which an idle connection is closed.
    """

    body_bytes: int = 4 * 2**20
    body_seconds: float = 60.0
    text_bytes: int = 2**18
    examples: int = 1024
    numbers: Mapping[str, int] = field(default_factory=_numbers)
    products: Mapping[tuple[str, ...], int] = field(default_factory=_products)
    length: int = 10_000
    answer_numbers: int = 2**20
    predictions: int | None = None
    seconds: float = 60.0
    connections: int = 512
    idle_seconds: float = 15.0

"""What one request to the HTTP service may ask for, and the error that says what was wrong with it."""

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
    }


@dataclass(frozen=True)
class Limits:
    """What one request may ask for.

    Attributes:
        body_bytes: Size of the request's body, before and after decompression.
        body_seconds: Time in which the body must arrive.
        text_bytes: Size of one string.
        examples: Rows of every input.
        numbers: The largest value of scalar inputs, by name.
        products: The largest product of scalar inputs; "rows" is the number of rows. They bound computing time and memory.
        answer_numbers: Numbers, or strings, in the answer.
    """

    body_bytes: int = 4 * 2**20
    body_seconds: float = 60.0
    text_bytes: int = 2**18
    examples: int = 1024
    numbers: Mapping[str, int] = field(default_factory=_numbers)
    products: Mapping[tuple[str, ...], int] = field(default_factory=_products)
    answer_numbers: int = 2**20

"""How many random cases the slow tests draw."""

import os


def many(number: int) -> int:
    """The number of random cases of a slow test, times `TF_VMF_RANDOM_FACTOR` of the environment (1)."""
    return number * int(os.environ.get("TF_VMF_RANDOM_FACTOR", "1"))

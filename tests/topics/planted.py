"""A corpus with planted topics: every document draws its words from one of three lists, and some from a shared one."""

import numpy as np

WORDS = {
    "space": ["orbit", "moon", "rocket", "planet", "comet", "galaxy", "star", "probe"],
    "food": ["bread", "butter", "cheese", "flour", "recipe", "oven", "salt", "sugar"],
    "sport": ["goal", "match", "player", "team", "coach", "league", "stadium", "referee"],
}
SHARED = ["people", "time", "year", "day"]


def planted_texts(num_texts: int = 180, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """The texts, and the position of each text's list in `WORDS`."""
    rng = np.random.default_rng(seed)
    lists = list(WORDS.values())
    labels = rng.integers(len(lists), size=num_texts)
    texts = [" ".join([*rng.choice(lists[label], 9), *rng.choice(SHARED, 3)]) for label in labels]
    return texts, labels

"""The texts that stand for a topic on its page."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from tests.report.topic_sources import SOURCES
from tf_vmf.report.engine.topic_view import view_topics


def test_near_copies_and_texts_without_a_known_word_are_not_typical():
    source = SOURCES[5]
    own = np.flatnonzero(source.topic == 0)
    copied, wordless = own[:4], own[4:6]
    codes, counts = source.codes.copy(), sparse.lil_matrix(source.counts)
    angles = np.linspace(-1.0, 1.0, len(own)) + np.arctan2(*source.centers[0][::-1])
    codes[own] = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    codes[copied] = source.centers[0] + np.arange(4)[:, np.newaxis] / 1000  # in other words, near to the center
    codes[wordless] = source.centers[0]  # where a vector alone has placed them
    counts[wordless] = 0
    given = replace(source, codes=codes, counts=counts.tocsr(), texts=None, spherical=True)
    topic = view_topics(given).topics[0]
    assert len(set(topic.typical) & set(copied.tolist())) == 1
    assert not {*topic.typical, *topic.diverse} & set(wordless.tolist())
    assert topic.size == len(own)

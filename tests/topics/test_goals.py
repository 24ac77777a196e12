"""What the topics of real corpora reach, with one seed."""

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

from tests.conftest import SHARED
from tf_vmf.evaluation import topic_coherence, topic_diversity
from tf_vmf.topics import TopicModel

pytest.importorskip("gensim")


# Published by S2WTM (Adhya and Sanyal, ACL 2025) with the same protocol: K classes, whole corpus, ten words.
@pytest.mark.slow
@pytest.mark.parametrize(("corpus", "nmi", "npmi"), [("BBC_News", 0.80, 0.20), ("M10", 0.464, 0.12)])
def test_topics_agree_with_the_classes_and_their_words_go_together(corpus, nmi, npmi):
    path = SHARED / "data/topics" / corpus / "corpus.tsv"
    if not path.is_file():
        pytest.skip("The corpus is not part of the repository.")
    texts, _, labels = zip(*(line.split("\t") for line in path.read_text("utf-8").splitlines()), strict=True)
    vocabulary = (path.parent / "vocabulary.txt").read_text("utf-8").split("\n")[:-1]
    model = TopicModel(len(set(labels)), vocabulary=vocabulary, tokenization="whitespace", random_state=0)
    found = model.fit_transform(list(texts)).argmax(axis=1)
    known = set(vocabulary)
    documents = [[word for word in text.split() if word in known] for text in texts]
    assert normalized_mutual_info_score(np.array(labels), found) >= nmi
    assert topic_coherence(model.topics(10), documents).mean() >= npmi
    assert topic_diversity(model.topics(10), 10) >= 0.9

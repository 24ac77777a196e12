"""A small corpus, models and figures of documents for the tests of analysis and reports."""

import numpy as np
from scipy import sparse

from tf_vmf import layers, models
from tf_vmf.data import BagOfWordsCorpus, Documents

VOCABULARY = tuple(f"word{i}" for i in range(30))
HOSTILE = "<script>alert(1)</script> and so on."


def make_corpus(rng, name="small", labels=True, texts=True):
    def split(size):
        group = rng.integers(3, size=size)
        counts = rng.poisson(0.2, size=(size, 30))
        for row, g in enumerate(group):
            counts[row, 10 * g : 10 * g + 10] += rng.poisson(2.0, size=10)
        counts[:, 0] += 1
        return Documents(
            sparse.csr_matrix(counts.astype(np.int32)),
            labels=group if labels else None,
            texts=(HOSTILE,) * size if texts else None,
            titles=tuple(f"title {i}" for i in range(size)) if texts else None,
        )

    names = ("red <b>", "green", "blue") if labels else ()
    return BagOfWordsCorpus(name, VOCABULARY, split(150), split(20), split(40), names)


def make_model(kind):
    latent = {
        "learned": lambda: layers.VonMisesFisherLatent(8, concentration="learned"),
        "sphere": lambda: layers.VonMisesFisherLatent(3, concentration=20.0),
        "circle": lambda: layers.PowerSphericalLatent(2, concentration=20.0),
        "gaussian": lambda: layers.GaussianLatent(4),
    }[kind]()
    return models.BagOfWordsVAE(30, latent, encoder_units=(16,), decoder_units=(), seed=0)


METRICS = {
    "test": {
        "nll": 80.0,
        "kl": 5.25,
        "perplexity": 21.5,
        "document_perplexity": 22.5,
        "code_gain": 3.0,
        "active_units": 4,
    },
    "baseline": {"unigram_perplexity": 43.0, "unigram_document_perplexity": 44.0},
    "training": {"epochs": 7, "best_epoch": 2},
    "protocol": {"seed": 11, "versions": {"keras": "3"}},
}
HISTORY = [{"epoch": e, "loss": 9.0 / e, "val_loss": 10.0 / e, "perplexity": 40.0 / e} for e in (1, 2, 3)]

"""Small corpora and models of sentences for the tests of the analysis."""

import keras
import numpy as np

from tf_vmf import layers, models
from tf_vmf.data import SentenceCorpus, Sentences
from tf_vmf.text import SPECIAL_TOKENS

VOCABULARY = (*SPECIAL_TOKENS, *(f"word{i}" for i in range(3, 40)), "<b>bold</b>")
SIZE = len(VOCABULARY)


def make_sentences(rng, number, labels=False, shortest=1, longest=9):
    """Sentences whose label is told by their words: 3 to 20 for label 0, 21 to 39 for label 1; 40 occurs in both."""
    label = rng.integers(2, size=number)
    lists = [
        np.where(rng.random(length) < 0.1, 40, rng.integers(3, 21, size=length) + 18 * group)
        for group, length in zip(label, rng.integers(shortest, longest + 1, size=number), strict=True)
    ]
    return Sentences.from_lists(lists, label if labels else None)


def make_corpus(rng, name="small", labels=False, sizes=(100, 20, 30)):
    splits = [make_sentences(rng, size, labels) for size in sizes]
    return SentenceCorpus(name, VOCABULARY, *splits, label_names=("neg", "pos & <i>") if labels else ())


def make_model(latent="vmf", **options):
    layer = {
        "vmf": lambda: layers.VonMisesFisherLatent(8, concentration=20.0),
        "learned": lambda: layers.VonMisesFisherLatent(3, concentration="learned"),
        "gaussian": lambda: layers.GaussianLatent(4),
        "none": lambda: None,
    }[latent]()
    options = {"embedding_dim": 12, "hidden_units": 16, "label_dim": 4, "seed": 0, **options}
    return models.LSTMVAE(SIZE, layer, **options)


def train(model, sentences, epochs=2):
    model.compile(keras.optimizers.Adam(1e-2))
    batches = sentences.batches(20, seed=0)
    model.fit(batches, steps_per_epoch=sentences.steps_per_epoch(20), epochs=epochs, shuffle=False, verbose=0)
    return model

"""A sentence model that writes to order: trained on labelled sentences, it writes sentences of a label.

    python -m examples.conditional_sentences

The sentences are made up here; put a list of your own texts and labels in their place.
"""

import random

import keras

import tf_vmf


def sentences(number: int = 400, seed: int = 0) -> tuple[list[str], list[str]]:
    """Short sentences about meals and about the weather, with their labels."""
    choose = random.Random(seed).choice
    people, dishes = ["the boy", "a girl", "the cook", "my friend"], ["bread", "cheese", "an apple", "some soup"]
    places, weathers = ["in london", "on the hill", "at sea", "in the north"], ["rain", "snow", "wind", "fog"]
    labels = [("food", "weather")[row % 2] for row in range(number)]
    texts = [
        f"{choose(people)} eats {choose(dishes)} every morning."
        if label == "food"
        else f"there will be {choose(weathers)} {choose(places)} tonight."
        for label in labels
    ]
    return texts, labels


def build(corpus: tf_vmf.data.SentenceCorpus) -> tf_vmf.models.LSTMVAE:
    """Encoder and decoder know the label; the code on the sphere holds what the label does not say.

    Its price is low, 1.3 nats: a code with nats to spare repeats the label, and the decoder then follows the code instead.
    """
    model = tf_vmf.models.LSTMVAE(
        len(corpus.vocabulary),
        tf_vmf.layers.VonMisesFisherLatent(4, concentration=5.0),
        num_labels=len(corpus.label_names),
        embedding_dim=32,
        hidden_units=64,
        pooling="bow",
        dropout=0.2,
    )
    model.compile(keras.optimizers.Adam(5e-3))
    return model


def write(model: tf_vmf.models.LSTMVAE, corpus: tf_vmf.data.SentenceCorpus, label: str, n: int, seed: int = 0) -> list:
    """`n` new sentences of a label."""
    number = list(corpus.label_names).index(label)
    sampler = tf_vmf.models.RandomSampler(temperature=0.7)
    ids = model.sample(n, sampler=sampler, labels=number, seed=seed, max_length=20)
    return [tf_vmf.text.to_text(row, corpus.vocabulary) for row in ids.numpy()]


def main(epochs: int = 30) -> tuple[tf_vmf.models.LSTMVAE, tf_vmf.data.SentenceCorpus]:
    keras.utils.set_random_seed(0)
    texts, labels = sentences()
    corpus = tf_vmf.data.load_sentences(texts=texts, labels=labels)
    model = build(corpus)
    train = corpus.train
    model.fit(
        train.batches(32, seed=0),
        steps_per_epoch=train.steps_per_epoch(32),
        epochs=epochs,
        shuffle=False,  # the batches are shuffled already
        verbose=2,
    )
    figures = tf_vmf.evaluation.evaluate(model, corpus.test.evaluation_batches(32), num_importance_samples=0)
    print(f"KL {figures['kl']:.1f} nats; another sentence's code costs {figures['code_gain']:.1f} nats more")
    for label in corpus.label_names:
        print(f"{label}:", *write(model, corpus, label, 4), sep="\n  ")
    return model, corpus


if __name__ == "__main__":
    main()

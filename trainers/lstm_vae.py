"""Trains an LSTM sentence VAE: a language model with a von Mises-Fisher, Gaussian or power spherical code, or none.

Offline, on sentences of the Wikipedia articles that the gensim package carries:

    python -m trainers.lstm_vae --corpus=wikipedia --workdir=runs/sentences

On the Penn Treebank ({train,valid,test}.txt in DIR), or on your own text, one sentence a line:

    python -m trainers.lstm_vae --flagfile=recipes/ptb_vmf_standard.flags --data_dir=DIR --workdir=runs/ptb
    python -m trainers.lstm_vae --train_files=reviews.txt --workdir=runs/reviews

Labelled text is a file a label, and --conditional makes the model write to order:

    python -m trainers.lstm_vae --train_files=neg=negative.txt,pos=positive.txt --conditional --workdir=runs/polarity

The folder --workdir then holds config.json, history.csv, metrics.json, model.keras, report.html and checkpoints/. The same
command again resumes an interrupted run. --corpus: wikipedia, ptb, sentence_polarity, or prepared (see trainers/prepare.py).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from absl import app, logging
from absl import flags as absl_flags

from flags import corpus as corpus_flags
from flags import latent as latent_flags
from flags import sentence_model as model_flags
from flags import sentence_text as text_flags
from flags import training as training_flags
from tf_vmf import analysis, data, evaluation
from tf_vmf.models import LSTMVAE, read_word_vectors
from trainers import experiment


def make_model(corpus: data.SentenceCorpus, steps_per_epoch: int) -> LSTMVAE:
    """The compiled model that the flags describe.

    Raises:
        FileNotFoundError, ModuleNotFoundError: See `tf_vmf.models.read_word_vectors`.
        ValueError: --conditional on a corpus without labels, or --initial_embeddings of another width or language.
    """
    if model_flags.CONDITIONAL.value and not corpus.label_names:
        raise ValueError(f"--conditional: expected labelled sentences. Corpus {corpus.name!r} has no labels.")
    if model_flags.CONDITIONAL.value and corpus.train_records is None:
        untrained = set(range(len(corpus.label_names))) - set(np.unique(np.asarray(corpus.train.labels)))
        if untrained:
            raise ValueError(
                "--conditional: expected training sentences of every label. Received none labelled "
                f"{', '.join(corpus.label_names[label] for label in sorted(untrained))}."
            )
    z_scale = model_flags.Z_SCALE.value
    model = LSTMVAE(
        len(corpus.vocabulary),
        experiment.make_latent(),
        embedding_dim=model_flags.EMBEDDING_DIM.value,
        hidden_units=model_flags.HIDDEN_UNITS.value,
        num_decoder_layers=model_flags.DECODER_LAYERS.value,
        bidirectional=model_flags.BIDIRECTIONAL.value,
        pooling=model_flags.POOLING.value,
        encoder_activation=model_flags.ENCODER_ACTIVATION.value,
        tied_embeddings=model_flags.TIED_EMBEDDINGS.value,
        skip_connection=model_flags.SKIP_CONNECTION.value,
        word_dropout=model_flags.WORD_DROPOUT.value,
        dropout=model_flags.DROPOUT.value,
        encoder_dropout=model_flags.ENCODER_DROPOUT.value,
        z_scale=None if z_scale == "auto" else float(z_scale),
        free_bits=model_flags.FREE_BITS.value,
        num_labels=len(corpus.label_names) if model_flags.CONDITIONAL.value else 0,
        label_dim=model_flags.LABEL_DIM.value,
        bag_of_words_units=model_flags.BAG_OF_WORDS_UNITS.value,
        num_samples=model_flags.NUM_SAMPLES.value,
        seed=training_flags.SEED.value,
    )
    model.set_unigram_bias(corpus.train_word_counts)
    if model_flags.INITIAL_EMBEDDINGS.value and not experiment.has_started():
        found = model.set_embeddings(corpus.vocabulary, read_word_vectors(model_flags.INITIAL_EMBEDDINGS.value))
        logging.warning("Initial embeddings: found %d of %d words.", found, len(corpus.vocabulary))
    model.compile(experiment.make_optimizer(steps_per_epoch))
    return model


def main(argv: Sequence[str]) -> None:
    strategy = experiment.start(argv)
    corpus = data.load_sentences(**corpus_flags.given(), **text_flags.given())
    batch_size, seed = training_flags.BATCH_SIZE.value, training_flags.SEED.value
    splits = {split: getattr(corpus, split) for split in ("train", "valid", "test")}
    records = corpus.train_records
    if not model_flags.CONDITIONAL.value:
        splits = {split: sentences.without_labels() for split, sentences in splits.items()}
        records = records and replace(records, labelled=False)
    experiment.run(
        experiment.Experiment(
            trainer="lstm_vae",
            flag_modules=(corpus_flags, text_flags, latent_flags, model_flags, training_flags),
            statistics=corpus.statistics,
            make_model=partial(make_model, corpus),
            source=experiment.source(records, batch_size, seed)
            or experiment.Source(
                batches_from=lambda step: data.sentence_batches(
                    splits["train"], batch_size, seed=seed, start_step=step
                ),
                steps_per_epoch=data.steps_per_epoch(splits["train"], batch_size),
                batch_ids=lambda step: data.sentence_rows(splits["train"], batch_size, seed=seed, step=step).tolist(),
            ),
            evaluation_batches={
                split: data.sentence_evaluation_batches(splits[split], batch_size) for split in ("valid", "test")
            },
            train_examples=corpus.statistics["train"]["sentences"],
            train_tokens=corpus.statistics["train"]["tokens"],
            baseline=evaluation.unigram_perplexity(
                corpus.train_word_counts, corpus.test.bags_of_words(len(corpus.vocabulary))
            ),
            protocol={"token_counting": "words and one <eos> a sentence; padding counts nowhere"},
            vectorizer=corpus.vectorizer(corpus.notes.get("max_length")),
            report=partial(analysis.sentence_report, corpus=corpus),
        ),
        strategy,
    )


# The flags' own defaults suit documents. A sentence has little to tell beside what its first words tell, and a code of few
# dimensions tells it with less noise: docs/SENTENCES.md.
_DEFAULTS: tuple[tuple[absl_flags.FlagHolder, Any], ...] = (
    (latent_flags.LATENT_DIM, 8),
    (latent_flags.CONCENTRATION, "14"),
    (latent_flags.INITIAL_CONCENTRATION, 30.0),
    (training_flags.EPOCHS, 10),
    (training_flags.BATCH_SIZE, 32),
    (training_flags.LEARNING_RATE, 0.003),
    (training_flags.GRADIENT_CLIP_NORM, 5.0),
)

if __name__ == "__main__":
    for flag, value in _DEFAULTS:
        absl_flags.set_default(flag, value)
    app.run(main)

"""Trains a bag-of-words VAE: a document model with a von Mises-Fisher, Gaussian or power spherical latent variable.

Offline, on the Wikipedia articles that the gensim package carries:

    python -m trainers.bow_vae --flagfile=recipes/wikipedia_vmf.flags --workdir=runs/wikipedia

On 20 Newsgroups (Miao's .feat files in DIR), or on your own text, one document a line:

    python -m trainers.bow_vae --flagfile=recipes/20ng_vmf_learned.flags --data_dir=DIR --workdir=runs/20ng
    python -m trainers.bow_vae --train_files=reviews.txt --workdir=runs/reviews

The folder --workdir then holds config.json, history.csv, metrics.json, model.keras, report.html and checkpoints/. The same
command again resumes an interrupted run. --corpus: wikipedia, 20ng, or prepared (see trainers/prepare.py).
"""

from collections.abc import Sequence
from functools import partial

from absl import app

from flags import corpus as corpus_flags
from flags import document_model as model_flags
from flags import document_text as text_flags
from flags import latent as latent_flags
from flags import training as training_flags
from tf_vmf import analysis, data, evaluation
from tf_vmf.models import BagOfWordsVAE
from trainers import experiment


def make_model(corpus: data.BagOfWordsCorpus, steps_per_epoch: int) -> BagOfWordsVAE:
    """The compiled model that the flags describe.

    Raises:
        ValueError: --latent=none.
    """
    latent = experiment.make_latent()
    if latent is None:
        raise ValueError(
            "--latent=none: a document model without a latent variable is a unigram model, which every run reports as its "
            "baseline. Expected one of: vmf, gaussian, power_spherical."
        )
    model = BagOfWordsVAE(
        len(corpus.vocabulary),
        latent,
        encoder_units=[int(units) for units in model_flags.ENCODER_UNITS.value],
        decoder_units=[int(units) for units in model_flags.DECODER_UNITS.value],
        activation=model_flags.ACTIVATION.value,
        input_transform=model_flags.INPUT_TRANSFORM.value,
        input_dropout=model_flags.INPUT_DROPOUT.value,
        dropout=model_flags.DROPOUT.value,
        num_samples=model_flags.NUM_SAMPLES.value,
        seed=training_flags.SEED.value,
    )
    if model_flags.UNIGRAM_BIAS.value:
        model.set_unigram_bias(corpus.train_word_counts)
    model.compile(experiment.make_optimizer(steps_per_epoch))
    return model


def main(argv: Sequence[str]) -> None:
    strategy = experiment.start(argv)
    corpus = data.load_bag_of_words(**corpus_flags.given(), **text_flags.given())
    experiment.run(
        experiment.Experiment(
            trainer="bow_vae",
            flag_modules=(corpus_flags, text_flags, latent_flags, model_flags, training_flags),
            statistics=corpus.statistics,
            make_model=partial(make_model, corpus),
            examples={"train": corpus.train_examples, "valid": corpus.valid, "test": corpus.test},
            baseline=evaluation.unigram_perplexity(corpus.train_word_counts, corpus.test),
            protocol={"token_counting": "words of the vocabulary; no end-of-document token"},
            vectorizer=corpus.vectorizer(),
            report=partial(analysis.document_report, corpus=corpus),
        ),
        strategy,
    )


if __name__ == "__main__":
    app.run(main)

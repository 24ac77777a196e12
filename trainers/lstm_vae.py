"""Trains an LSTM sentence VAE: a language model with a von Mises-Fisher, Gaussian or power spherical code, or none.

Offline, on sentences of the Wikipedia articles that the gensim package carries:

    python -m trainers.lstm_vae --corpus=wikipedia --workdir=runs/sentences

On the Penn Treebank ({train,valid,test}.txt in DIR), or on your own text, one sentence per line:

    python -m trainers.lstm_vae --flagfile=recipes/ptb_vmf_standard.flags --data_dir=DIR --workdir=runs/ptb
    python -m trainers.lstm_vae --train_files=reviews.txt --workdir=runs/reviews

Labeled text is one file per label, and --conditional makes the model write to order:

    python -m trainers.lstm_vae --train_files=neg=negative.txt,pos=positive.txt --conditional --workdir=runs/polarity

The folder --workdir then holds config.json, history.csv, metrics.json, model.keras, report.html, findings.json and checkpoints/.
The same command again resumes an interrupted run.
--corpus: wikipedia, ptb, sentence_polarity, yelp, or prepared (see trainers/prepare.py).
"""

from tf_vmf.programs.configs import RunConfig, SentenceConfig
from trainers import program


def main(run: RunConfig, config: SentenceConfig) -> None:
    from tf_vmf import programs

    finished = programs.train_sentences(
        config, run.workdir, command=program.command_line("lstm_vae"), verbose=program.verbosity(run)
    )
    program.print_run(finished, run.log_format)


if __name__ == "__main__":
    program.run(main, "lstm_vae", __doc__, RunConfig, SentenceConfig, resumes=True)

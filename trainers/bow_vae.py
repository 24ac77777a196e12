"""Trains a bag-of-words VAE: a document model with a von Mises-Fisher, Gaussian or power spherical latent variable.

Offline, on the Wikipedia articles that the gensim package carries:

    python -m trainers.bow_vae --flagfile=recipes/wikipedia_vmf.flags --workdir=runs/wikipedia

On 20 Newsgroups (Miao's .feat files in DIR), or on your own text, one document per line:

    python -m trainers.bow_vae --flagfile=recipes/20ng_vmf_learned.flags --data_dir=DIR --workdir=runs/20ng
    python -m trainers.bow_vae --train_files=reviews.txt --workdir=runs/reviews

The folder --workdir then holds config.json, history.csv, metrics.json, model.keras, report.html, findings.json and checkpoints/.
The same command again resumes an interrupted run.
--corpus: wikipedia, 20ng, or prepared (see trainers/prepare.py).
"""

from tf_vmf.programs.configs import DocumentConfig, RunConfig
from trainers import program


def main(run: RunConfig, config: DocumentConfig) -> None:
    from tf_vmf import programs

    finished = programs.train_documents(
        config, run.workdir, command=program.command_line("bow_vae"), verbose=program.verbosity(run)
    )
    program.print_run(finished, run.log_format)


if __name__ == "__main__":
    program.run(main, "bow_vae", __doc__, RunConfig, DocumentConfig, resumes=True)

"""Writes small models and what they compute to tests/models/fixtures, so that later versions prove that they read them.

    python -m tools.make_model_fixtures

To be run once a release that changes what is saved: under the version's own names, older ones are kept.
"""

import json
from pathlib import Path

import keras
import numpy as np

from tf_vmf.layers import GaussianLatent, LearnedConcentration, PowerSphericalLatent, VonMisesFisherLatent
from tf_vmf.models import LSTMVAE, BagOfWordsVAE
from tf_vmf.version import __version__

FOLDER = Path(__file__).parents[1] / "tests" / "models" / "fixtures"
COUNTS = [[0, 1, 2, 0, 1, 3], [1, 0, 0, 0, 0, 0]]
TOKENS = [[3, 4, 5, 1], [6, 1, 0, 0]]


def models() -> dict[str, keras.Model]:
    """One model of each kind, with options away from their defaults."""
    learned = VonMisesFisherLatent(3, concentration=LearnedConcentration(initial=30.0), seed=1)
    functional_input = keras.Input((6,))
    functional = keras.Model(functional_input, keras.layers.Dense(2)(VonMisesFisherLatent(3, seed=2)(functional_input)))
    return {
        "documents_vmf_learned": BagOfWordsVAE(6, learned, encoder_units=(4,), decoder_units=(), seed=1),
        "documents_power_spherical": BagOfWordsVAE(
            6, PowerSphericalLatent(3, concentration=20.0, seed=1), encoder_units=(4, 4), decoder_units=(4,), seed=1
        ),
        "sentences_vmf": LSTMVAE(
            7,
            VonMisesFisherLatent(3, concentration=10.0, seed=1),
            embedding_dim=3,
            hidden_units=4,
            bidirectional=True,
            seed=1,
        ),
        "sentences_gaussian_tied": LSTMVAE(
            7,
            GaussianLatent(3, seed=1),
            embedding_dim=3,
            hidden_units=4,
            tied_embeddings=True,
            num_decoder_layers=2,
            seed=1,
        ),
        "functional": functional,
    }


def figures(name: str, model: keras.Model) -> dict[str, list]:
    """What the model computes that a reader of the file must find again."""
    x = np.array(TOKENS, np.int32) if name.startswith("sentences") else np.array(COUNTS, np.float32)
    if name == "functional":
        latent, dense = model.layers[1], model.layers[2]
        return {"outputs": dense(latent(x, deterministic=True)).numpy().tolist()}
    return {
        "outputs": model.predict(x, verbose=0).tolist(),
        "elbo": model.elbo(x, seed=5).numpy().tolist(),
        "kl": model.elbo_terms(x, np.int32([5, 0]))["kl"].numpy().tolist(),
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    keras.utils.set_random_seed(0)
    for name, model in models().items():
        stem = f"{name}-{__version__}"
        model.save(FOLDER / f"{stem}.keras")
        (FOLDER / f"{stem}.json").write_text(json.dumps(figures(name, model)) + "\n")


if __name__ == "__main__":
    main()

"""The configuration of a document model."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.corpus import DocumentTextConfig
from tf_vmf.programs.configs.latent import LatentConfig
from tf_vmf.programs.configs.options import Config, option
from tf_vmf.programs.configs.training import TrainingConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class DocumentModelConfig(Config):
    """Document model."""

    encoder_units: tuple[int, ...] = option(
        (400, 400), "Widths of the encoder's layers; the last is linear.", minimum=1
    )
    decoder_units: tuple[int, ...] = option(
        (400,), "Widths of the decoder's hidden layers; empty for a linear one.", minimum=1
    )
    activation: str = option("tanh", "Activation of the hidden layers: the name of a Keras activation.")
    input_transform: str = option("log1p", "What the encoder makes of counts.", choices=("counts", "log1p"))
    input_dropout: float = option(0.0, "Rate at which input words are dropped.", minimum=0.0, maximum=0.99)
    dropout: float = option(0.1, "Rate of dropout after hidden layers.", minimum=0.0, maximum=0.99)
    unigram_bias: bool = option(True, "Start the output bias at the log frequencies of the words.")

    def check(self) -> None:
        super().check()
        if not self.encoder_units:
            raise ArgumentError("encoder_units", "at least one width, for instance 400,400", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DocumentConfig(TrainingConfig, LatentConfig, DocumentModelConfig, DocumentTextConfig):
    """A document model and its training: the options of `trainers.bow_vae`.

    Every option has the name, default and meaning of the flag of the same name; `python -m trainers.bow_vae --help` lists them.

    ```python
    config = tf_vmf.programs.configs.DocumentConfig(corpus="wikipedia", latent_dim=25, epochs=10)
    ```

    Raises:
        ArgumentError: An option has a value that it cannot have.
        TypeError: There is no such option.
    """

    fewest_steps: ClassVar[int] = 2000
    fewest_steps_per_epoch: ClassVar[int] = 10

    def check(self) -> None:
        super().check()
        if self.latent == "none":
            raise ArgumentError(
                "latent",
                "a latent variable, as a document model without one is a unigram model, which every run reports as its baseline",
                "'none'",
            )

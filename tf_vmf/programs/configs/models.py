"""The configurations of document and sentence models, and of their latent variable."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
from typing import Any, ClassVar

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.corpus import DocumentTextConfig, SentenceTextConfig
from tf_vmf.programs.configs.options import Config, option, refuse_unused, with_default
from tf_vmf.programs.configs.training import Budget, TrainingConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatentConfig(Config):
    """Latent variable."""

    latent: str = option(
        "vmf",
        "Posterior of the code: vmf, gaussian, power_spherical, uniform_norm_vmf, vmf_product, or another registered one; none "
        "for a plain language model.",
    )
    latent_dim: int = option(20, "Dimension d of the code; on the sphere that of R^d.", minimum=1)
    concentration: float | str = option(
        "learned",
        "Concentration of a spherical posterior: a number, 'learned' for one per example, or 'shared' for a learned one.",
        minimum=0.0,
        words=("learned", "shared"),
    )
    initial_concentration: float | None = option(
        None,
        "Concentration at the start of training, if it is learned or has warm-up steps; learned and not given: 2 latent_dim "
        "(of a part of vmf_product 2 part_dim).",
        minimum=0.0,
    )
    concentration_warmup_steps: int = option(
        0,
        "Move a concentration that is a number in a straight line from initial_concentration to it over this many steps.",
        minimum=0,
    )
    minimum_concentration: float | None = option(
        None,
        "Lower bound of a learned concentration; if not given a tenth of that default, or of the initial one if that is less.",
        minimum=0.0,
    )
    latent_options: tuple[str, ...] = option(
        (),
        "Other arguments of the latent, NAME=VALUE,..., for instance those of one of your own that --import makes known.",
    )
    prior: str = option(
        "fixed",
        "Prior of the code: fixed (uniform on the sphere, standard normal for a Gaussian), or a mixture learned with the model.",
        choices=("fixed", "mixture"),
    )
    prior_components: int = option(100, "Components of the mixture with prior=mixture.", minimum=1)
    norm_penalty: float = option(
        0.0, "Weight of (||m|| - 1)^2, where m is the mean direction before it is normalized.", minimum=0.0
    )
    norm_max: float = option(2.0, "Largest norm of a code of the latent uniform_norm_vmf.", minimum=0.0)
    norm_width: float = option(
        1.0, "Width of the norm's uniform posterior of the latent uniform_norm_vmf.", minimum=0.0
    )
    part_dim: int = option(
        5,
        "Dimension of each unit vector of which a code of the latent vmf_product is made; divides latent_dim.",
        minimum=2,
    )
    kl_weight: float = option(
        1.0, "Weight of the KL in the training loss; with kl_warmup_steps the one it rises to.", minimum=0.0
    )
    kl_warmup_steps: int = option(0, "Raise the weight of the KL from 0 to kl_weight over this many steps.", minimum=0)
    kl_schedule: str = option(
        "linear",
        "How the weight rises: in a line; along a sigmoid, half of it half-way; or four times over kl_warmup_steps, each "
        "time in the first half of a cycle.",
        choices=("linear", "sigmoid", "cyclical"),
    )

    def check(self) -> None:
        super().check()
        if self.concentration_warmup_steps and (
            isinstance(self.concentration, str) or self.initial_concentration is None
        ):
            raise ArgumentError(
                "concentration_warmup_steps",
                "0, or a `concentration` that is a number and the `initial_concentration` from which it starts",
                f"{self.concentration_warmup_steps} with concentration={self.concentration!r}, "
                f"initial_concentration={self.initial_concentration!r}",
            )
        if isinstance(self.concentration, float):
            refuse_unused(self, ["minimum_concentration"], "a concentration that is a number is not learned")
            if not self.concentration_warmup_steps:
                refuse_unused(
                    self,
                    ["initial_concentration"],
                    "a number without `concentration_warmup_steps` has its value from the start",
                )
        if self.prior == "fixed":
            refuse_unused(self, ["prior_components"], "prior is 'fixed'")
        if self.latent == "none":
            own = [each.name for each in dataclasses.fields(LatentConfig) if each.name != "latent"]
            refuse_unused(self, own, "there is no latent variable with latent='none'")
        self.own_latent_options()
        if self.kl_schedule != "linear" and not self.kl_warmup_steps:
            raise ArgumentError("kl_schedule", "`kl_warmup_steps` above 0, the steps over which the weight rises", "0")

    def own_latent_options(self) -> dict[str, Any]:
        """`latent_options` by name: numbers, True, False, None, and other values as strings."""
        found: dict[str, Any] = {}
        for entry in self.latent_options:
            name, separator, text = entry.partition("=")
            if not separator or not name.isidentifier() or name in found:
                raise ArgumentError("latent_options", "NAME=VALUE,... with distinct names", repr(entry))
            found[name] = text
            with contextlib.suppress(ValueError, SyntaxError):
                found[name] = ast.literal_eval(text)
        return found


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


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentenceModelConfig(Config):
    """Sentence model."""

    embedding_dim: int = option(200, "Width of the word embeddings.", minimum=1)
    initial_embeddings: str | None = option(
        None,
        "Where the word embeddings start: a finished run of this program, or a text file of word2vec or GloVe. Read at the start "
        "only.",
        identity=False,
    )
    hidden_units: int = option(400, "Units of every LSTM layer.", minimum=1)
    num_decoder_layers: int = option(1, "LSTM layers of the decoder.", minimum=1)
    bidirectional: bool = option(False, "The encoder reads in both directions.")
    pooling: str = option(
        "bow",
        "What the encoder makes of a sentence: bow, the mean embedding without an LSTM; or of an LSTM's states the final one, or "
        "mean_max, their mean and maximum.",
        choices=("final", "mean_max", "bow"),
    )
    encoder_activation: str = option("tanh", "Activation of the encoder's last layer: the name of a Keras activation.")
    tied_embeddings: bool = option(True, "The softmax's rows are the word embeddings.")
    skip_connection: bool = option(True, "A linear function of the code joins the decoder's outputs.")
    word_dropout: float = option(
        0.2,
        "Rate at which the decoder is fed <unk> for the previous word: 0 standard, 1 inputless.",
        minimum=0.0,
        maximum=1.0,
    )
    dropout: float = option(0.5, "Dropout on the decoder's embeddings and outputs.", minimum=0.0, maximum=0.99)
    encoder_dropout: float | None = option(
        None, "Dropout on the encoder's embeddings; as dropout if not given.", minimum=0.0, maximum=0.99
    )
    z_scale: float | None = option(
        None,
        "Factor of the code where the decoder reads it; if not given sqrt(latent_dim) on the sphere, else 1.",
        minimum=0.0,
    )
    free_bits: float = option(0.0, "Nats of KL per sentence that training does not charge.", minimum=0.0)
    conditional: bool = option(False, "Condition both sides on the sentence's label.")
    label_dim: int = option(50, "Width of the label's embedding of a conditional model.", minimum=1)
    bag_of_words_units: int = option(
        0, "Units of the bag-of-words summary on which both sides are conditioned; 0 for none.", minimum=0
    )

    def check(self) -> None:
        super().check()
        if not self.conditional:
            refuse_unused(self, ["label_dim"], "the model is not conditional")
        if self.pooling == "bow":
            refuse_unused(self, ["bidirectional"], "a mean of embeddings has no direction")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentenceConfig(TrainingConfig, LatentConfig, SentenceModelConfig, SentenceTextConfig):
    """A sentence model and its training: the options of `trainers.lstm_vae`.

    Every option has the name, default and meaning of the flag of the same name; `python -m trainers.lstm_vae --help` lists them.
    A sentence has little to tell beside what its first words tell, and a code of few dimensions, of a fixed concentration, tells
    it with less noise (docs/SENTENCES.md); hence other defaults than for documents.

    ```python
    config = tf_vmf.programs.configs.SentenceConfig(corpus="wikipedia", epochs=3)
    ```

    Raises:
        ArgumentError: An option has a value that it cannot have.
        TypeError: There is no such option.
    """

    latent_dim: int = with_default(LatentConfig, "latent_dim", 8)
    concentration: float | str = with_default(LatentConfig, "concentration", 14.0)
    default_budget: ClassVar[Budget] = Budget(epochs=10, batch_size=32)
    learning_rate: float = with_default(TrainingConfig, "learning_rate", 0.003)
    gradient_clip_norm: float | None = with_default(TrainingConfig, "gradient_clip_norm", 5.0)

    def check(self) -> None:
        super().check()
        if self.latent == "none":
            without = ["z_scale", "free_bits", "skip_connection", "pooling", "bidirectional", "encoder_activation"]
            without += ["encoder_dropout", "num_samples", "sample_reduction", "refine_steps"]
            refuse_unused(self, without, "a model without a latent variable has no encoder")

"""Options of a training run: how long, with what optimizer, on which devices."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs.options import Config, option, refuse_unused


@dataclasses.dataclass(frozen=True)
class Budget:
    """Length of training."""

    epochs: int  # largest number of epochs
    batch_size: int  # examples per step, over all replicas


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig(Config):
    """Training."""

    # What a budget is where nothing is given. Little text gets smaller batches, and more epochs until it has had so many steps.
    default_budget: ClassVar[Budget] = Budget(epochs=60, batch_size=200)
    fewest_steps: ClassVar[int] = 0
    fewest_steps_per_epoch: ClassVar[int] = 1

    epochs: int | None = option(
        None,
        "Largest number of epochs. If not given 60 for documents, more where these are fewer than 2,000 steps; 10 for sentences.",
        minimum=1,
    )
    batch_size: int | None = option(
        None,
        "Examples per step, over all replicas. If not given 200 for documents, and fewer where an epoch would have fewer than 10 "
        "steps; 32 for sentences.",
        minimum=1,
    )
    optimizer: str = option("adam", "Optimizer; adamw is adam with a weight_decay.", choices=("adam", "adamw", "sgd"))
    learning_rate: float = option(1e-3, "Learning rate at the start.", minimum=0.0)
    learning_rate_schedule: str = option(
        "constant",
        "How the learning rate goes to zero at the end of all epochs, if it does; not with learning_rate_patience.",
        choices=("constant", "linear", "cosine"),
    )
    weight_decay: float = option(0.0, "Decoupled weight decay of any optimizer.", minimum=0.0)
    gradient_clip_norm: float | None = option(None, "Largest global norm of the gradient.", minimum=0.0)
    learning_rate_patience: int | None = option(
        None, "Halve the learning rate after this many epochs without better validation.", minimum=1
    )
    early_stopping_patience: int | None = option(
        None, "Stop after this many epochs without better validation.", minimum=1
    )
    num_samples: int = option(1, "Posterior samples per example and training step.", minimum=1)
    sample_reduction: str = option(
        "mean_loss",
        "With several samples: mean_loss averages their losses. mean_code lets the decoder read their mean, in training and "
        "validation, and charges the KL of one, as Xu and Durrett (2018) did; that loss is not a bound. importance_weighted trains "
        "the tighter bound of Burda et al. (2016).",
        choices=("mean_loss", "mean_code", "importance_weighted"),
    )
    seed: int = option(0, "Seed of weights, noise and the order of examples.", minimum=0, maximum=2**31 - 1)
    num_importance_samples: int = option(100, "Samples of the importance-weighted bound on the test set.", minimum=1)
    num_validation_importance_samples: int | None = option(
        None, "The same on the validation set; as many if not given.", minimum=1
    )
    refine_steps: int = option(
        0,
        "Also measure bounds with posteriors refined by so many gradient steps per batch: what the model can do without the gap of "
        "its encoder. The same command with another number adds them to a finished run.",
        minimum=0,
        identity=False,
    )
    dtype_policy: str = option(
        "float32",
        "Keras dtype policy: what matrix products are computed in. Codes, losses and weights stay in float32.",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    strategy: str = option(
        "default",
        "default (one device), mirrored (all GPUs of this machine) or multi_worker (all machines that TF_CONFIG names).",
        choices=("default", "mirrored", "multi_worker"),
    )
    num_devices: int | None = option(None, "Devices of the strategy mirrored; all if not given.", minimum=1)
    steps_per_execution: int = option(
        1, "Steps run on the device without coming back to Python.", minimum=1, identity=False
    )
    checkpoint_steps: int | None = option(
        None, "Save a checkpoint every so many steps, beside those at the ends of epochs.", minimum=1, identity=False
    )
    checkpoint_minutes: float = option(
        10.0, "Save a checkpoint when the last one is this old; 0 for never.", minimum=0.0, identity=False
    )
    keep_checkpoints: int = option(3, "Number of checkpoints kept.", minimum=1, identity=False)

    def budget(self, num_examples: int) -> Budget:
        """The budget for a number of examples: the given values, and defaults of the program for the rest."""
        batch_size = self.batch_size
        if batch_size is None:
            batch_size = min(self.default_budget.batch_size, max(1, num_examples // self.fewest_steps_per_epoch))
        steps_per_epoch = -(-num_examples // batch_size)
        epochs = self.epochs
        if epochs is None:
            epochs = max(self.default_budget.epochs, -(-self.fewest_steps // steps_per_epoch))
        return Budget(epochs, batch_size)

    def check(self) -> None:
        super().check()
        if self.learning_rate_schedule != "constant" and self.learning_rate_patience is not None:
            raise ArgumentError(
                "learning_rate_patience",
                "none with a `learning_rate_schedule`, as it changes a constant rate",
                str(self.learning_rate_patience),
                "Give one of the two.",
            )
        if self.sample_reduction != "mean_loss" and self.num_samples < 2:
            expected = f"`num_samples` above 1 with {self.sample_reduction}, such as the paper's 3"
            raise ArgumentError("sample_reduction", expected, "1")
        if self.optimizer == "adamw" and not self.weight_decay:
            raise ArgumentError("weight_decay", "a number above 0 with `optimizer` adamw", "0")
        if self.strategy != "mirrored":
            refuse_unused(self, ["num_devices"], f"strategy {self.strategy!r} does not count devices")
        if self.gradient_clip_norm == 0:
            raise ArgumentError("gradient_clip_norm", "a number above 0", "0", "Leave it out for no clipping.")

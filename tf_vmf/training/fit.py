"""One call that trains a model in a folder, from the start or from where it stopped."""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import keras
import tensorflow as tf

from tf_vmf.training.run_state import RunState
from tf_vmf.training.stop_on_nan import StopOnNaN
from tf_vmf.training.workdir import Workdir


def fit(
    model: keras.Model,
    workdir: Workdir,
    batches_from: Callable[[int], tf.data.Dataset],
    steps_per_epoch: int,
    validation_batches: tf.data.Dataset,
    *,
    epochs: int,
    early_stopping_patience: int | None = None,
    learning_rate_patience: int | None = None,
    learning_rate_factor: float = 0.5,
    verbose: int | str = "auto",
) -> RunState:
    """Trains until `epochs` or until validation stops improving; the model ends with the weights of the best epoch.

    Called again on the folder of an interrupted run it resumes at the last finished epoch; on that of a finished run it only
    loads the best weights.

    Args:
        model: A compiled, built model that logs `loss`.
        workdir: The folder of the run.
        batches_from: Returns the endless training batches from a given step on; see `tf_vmf.data.training_batches`.
        steps_per_epoch: Batches in an epoch.
        validation_batches: A finite dataset; its `loss` selects the best epoch.
        epochs: Largest number of epochs.
        early_stopping_patience: Stop after so many epochs without improvement; None never stops early.
        learning_rate_patience: Multiply the learning rate by `learning_rate_factor` after so many epochs without improvement.
        learning_rate_factor: In (0, 1).
        verbose: As in `keras.Model.fit`.

    Returns:
        The state of the run, with `history`, `epoch` and `seconds`.

    Raises:
        FloatingPointError: The loss became NaN or infinite.
    """
    schedulers: list[keras.callbacks.Callback] = []
    if learning_rate_patience is not None:
        schedulers.append(
            keras.callbacks.ReduceLROnPlateau(
                "val_loss", factor=learning_rate_factor, patience=learning_rate_patience, min_delta=0.0, mode="min"
            )
        )
    if early_stopping_patience is not None:
        schedulers.append(keras.callbacks.EarlyStopping("val_loss", patience=early_stopping_patience, mode="min"))
    run_state = RunState(model, workdir.checkpoints, callbacks=schedulers, history_file=workdir.history_file)
    run_state.restore()
    if not run_state.finished:
        model.fit(
            batches_from(run_state.epoch * steps_per_epoch),
            epochs=epochs,
            initial_epoch=run_state.epoch,
            steps_per_epoch=steps_per_epoch,
            validation_data=validation_batches,
            shuffle=False,
            verbose=verbose,
            callbacks=[StopOnNaN(), *schedulers, *_tensorboard(workdir), run_state],
        )
    run_state.load_best(model)
    return run_state


def _tensorboard(workdir: Workdir) -> list[Any]:
    if find_spec("tensorboard") is None:
        return []
    return [keras.callbacks.TensorBoard(workdir.path / "tensorboard", write_graph=False)]

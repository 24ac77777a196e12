"""Training in a folder: interrupted runs, best weights, numbers that are not."""

import csv

import keras
import numpy as np
import pytest
from scipy import sparse

from tf_vmf import data
from tf_vmf.layers import VonMisesFisherLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.training import Workdir, fit

V = 20


@pytest.fixture(scope="module")
def documents():
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(V, 0.1), size=4)
    return data.Documents(sparse.csr_matrix(rng.multinomial(15, topics[rng.integers(0, 4, 90)]).astype(np.int32)))


class ProcessEndError(Exception):
    """Stands for the end of the process."""


class KillAt(keras.callbacks.Callback):
    """Ends training in the middle of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.now = epoch, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.now == self.epoch and batch == 2:
            raise ProcessEndError


def run(path, documents, monkeypatch=None, kill_at=None, epochs=8, learning_rate=0.02, **options):
    keras.utils.set_random_seed(0)
    model = BagOfWordsVAE(
        V,
        VonMisesFisherLatent(4, "learned", initial_concentration=20.0, seed=1),
        encoder_units=(8, 8),
        decoder_units=(),
        input_dropout=0.2,
        seed=2,
    )
    model.compile(keras.optimizers.Adam(learning_rate))
    if kill_at is not None:
        original = model.fit
        monkeypatch.setattr(
            model, "fit", lambda *a, callbacks, **k: original(*a, callbacks=[KillAt(kill_at), *callbacks], **k)
        )
    state = fit(
        model,
        Workdir(path, {"run": 1}),
        lambda step: data.training_batches(documents, 20, seed=3, start_step=step),
        data.steps_per_epoch(documents, 20),
        data.evaluation_batches(documents, 20),
        epochs=epochs,
        verbose=0,
        **options,
    )
    return model, state


def test_a_run_killed_twice_ends_as_an_uninterrupted_one(tmp_path, documents, monkeypatch):
    """Weights, history, reduced learning rates and the epoch of early stopping: all equal, bit for bit."""
    # A rate so high that validation gets worse now and then, and both callbacks have something to remember.
    options = {"early_stopping_patience": 5, "learning_rate_patience": 1, "epochs": 60, "learning_rate": 0.3}
    whole_model, whole = run(tmp_path / "whole", documents, **options)
    for epoch in (2, 5):
        with pytest.raises(ProcessEndError):
            run(tmp_path / "killed", documents, monkeypatch, kill_at=epoch, **options)
    model, resumed = run(tmp_path / "killed", documents, **options)
    assert resumed.history == whole.history
    assert len({row["learning_rate"] for row in whole.history}) > 1
    assert 6 < whole.epoch < 60
    for a, b in zip(model.get_weights(), whole_model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (tmp_path / "killed/history.csv").read_bytes() == (tmp_path / "whole/history.csv").read_bytes()


def test_a_finished_run_is_not_trained_again(tmp_path, documents):
    model, state = run(tmp_path, documents)
    again, same = run(tmp_path, documents)
    assert same.history == state.history
    assert same.seconds == state.seconds
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_model_ends_with_the_weights_of_the_best_epoch(tmp_path, documents):
    model, state = run(tmp_path, documents, learning_rate=0.3, epochs=15)
    loss = model.evaluate(data.evaluation_batches(documents, 20), verbose=0, return_dict=True)["loss"]
    assert loss == min(row["val_loss"] for row in state.history)
    assert state.history[state.best_epoch - 1]["val_loss"] == loss
    with (tmp_path / "history.csv").open() as file:
        assert [float(row["val_loss"]) for row in csv.DictReader(file)] == [row["val_loss"] for row in state.history]


def test_nan_stops_training_names_its_terms_and_spares_the_checkpoint(tmp_path, documents):
    run(tmp_path / "good", documents, epochs=2)
    before = {path.name: path.read_bytes() for path in (tmp_path / "good/checkpoints").iterdir()}
    bad = data.Documents(documents.counts.astype(np.float32))
    bad.counts.data[0] = np.nan
    model, _ = run(tmp_path / "good", documents, epochs=2)
    with pytest.raises(FloatingPointError, match=r"loss=nan.*nll=nan.*learning rate"):
        fit(
            model,
            Workdir(tmp_path / "bad", {}),
            lambda step: data.training_batches(bad, 20, seed=3, start_step=step),
            5,
            data.evaluation_batches(documents, 20),
            epochs=2,
            verbose=0,
        )
    assert not list((tmp_path / "bad/checkpoints").glob("epoch*"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "good/checkpoints").iterdir()} == before

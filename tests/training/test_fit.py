"""Training in a folder: interrupted runs, best weights, numbers that are not."""

import csv
import json
import os
import shutil
import signal

import h5py
import keras
import numpy as np
import pytest
from scipy import sparse

from tests.conftest import mirrored
from tests.parameters import quick
from tf_vmf import data
from tf_vmf.layers import GaussianLatent
from tf_vmf.models import BagOfWordsVAE
from tf_vmf.training import RunInterruptedError, Workdir, fit
from tf_vmf.training.loop import TrainingSteps, ValidationSteps, learning_rate, not_finite
from tf_vmf.training.run_state import RunState

V = 20
STEPS = 5  # an epoch: 90 documents, 20 a batch


@pytest.fixture(scope="module")
def documents():
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(V, 0.1), size=4)
    return data.Documents(sparse.csr_matrix(rng.multinomial(15, topics[rng.integers(0, 4, 90)]).astype(np.int32)))


class ProcessEndError(Exception):
    """Stands for the end of the process."""


def end_of_process():
    raise ProcessEndError


def sigterm():
    os.kill(os.getpid(), signal.SIGTERM)


def ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture(autouse=True)
def _sigint_as_in_a_terminal():
    """A shell that runs the tests in the background makes them ignore SIGINT, and so would training."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(step, act, *arguments, **options):
    """A run in which `act` is called as soon as so many steps are taken; returns what ended it."""
    original = TrainingSteps.run

    def take(self, iterator, first, count=1):
        logs = original(self, iterator, first, count)
        if first < step <= first + count:
            act()
        return logs

    with pytest.MonkeyPatch.context() as context:
        context.setattr(TrainingSteps, "run", take)
        with pytest.raises((ProcessEndError, RunInterruptedError)) as ended:
            run(*arguments, **options)
    return ended.value


def run(path, documents, epochs=8, learning_rate=0.02, batches_of=None, **options):
    train = documents if batches_of is None else batches_of
    keras.utils.set_random_seed(0)
    model = BagOfWordsVAE(
        V,
        GaussianLatent(4, seed=1),  # the quickest to trace
        encoder_units=(8, 8),
        decoder_units=(),
        input_dropout=0.2,
        seed=2,
    )
    model.compile(keras.optimizers.Adam(learning_rate))
    config = {"run": 1, "epochs": epochs}
    with Workdir.open(path, config, may_change=["epochs"]) as workdir:
        state = fit(
            model,
            workdir,
            lambda step: train.batches(20, seed=3, start_step=step),
            STEPS,
            documents.evaluation_batches(20),
            batch_ids=lambda step: train.batch_ids(step, 20, seed=3),
            epochs=epochs,
            **{"verbose": 0, **options},
        )
    return model, state


def same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# A rate so high that validation gets worse now and then, and both callbacks have something to remember.
WILD = {"early_stopping_patience": 3, "learning_rate_patience": 1, "epochs": 60, "learning_rate": 0.3}


@pytest.fixture(scope="module")
def wild(tmp_path_factory, documents):
    path = tmp_path_factory.mktemp("wild")
    return path, *run(path, documents, **WILD)


@pytest.mark.parametrize(
    "options",
    [
        {"checkpoint_steps": 2},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"checkpoint_steps": 3, "steps_per_execution": 4}, marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_twice_ends_as_an_uninterrupted_one(tmp_path, documents, wild, options):
    """Weights, history, running metrics, reduced learning rates and the epoch of early stopping: all equal, bit for bit."""
    whole_path, whole_model, whole = wild
    for step in (2 * STEPS + 3, 5 * STEPS + 4):
        interrupted(step, end_of_process, tmp_path, documents, **WILD, **options)
    model, resumed = run(tmp_path, documents, **WILD, **options)
    assert resumed.history == whole.history
    assert len({row["learning_rate"] for row in whole.history}) > 1
    assert 6 < whole.epoch < 60
    same_weights(model, whole_model)
    assert (tmp_path / "history.csv").read_bytes() == (whole_path / "history.csv").read_bytes()


def test_a_checkpoint_within_an_epoch_spares_the_steps_before_it(tmp_path, documents, monkeypatch):
    interrupted(STEPS + 4, end_of_process, tmp_path, documents, checkpoint_steps=2)
    taken = []
    original = TrainingSteps.run
    monkeypatch.setattr(
        TrainingSteps, "run", lambda self, i, step, n=1: (taken.append(step), original(self, i, step, n))[1]
    )
    run(tmp_path, documents, checkpoint_steps=2)
    assert taken[0] == STEPS + 2


@pytest.mark.parametrize(
    ("act", "number", "code"), quick(1, [(ctrl_c, signal.SIGINT, 130), (sigterm, signal.SIGTERM, 143)])
)
def test_a_signal_saves_and_leaves_with_its_exit_code(tmp_path, documents, wild, capsys, act, number, code):
    handler = signal.getsignal(number)
    ended = interrupted(3 * STEPS + 2, act, tmp_path, documents, **WILD)
    assert ended.code == code
    assert f"saved at step {3 * STEPS + 2}. The same command goes on" in capsys.readouterr().out
    assert signal.getsignal(number) == handler
    model, resumed = run(tmp_path, documents, **WILD)
    assert resumed.history == wild[2].history
    same_weights(model, wild[1])


@pytest.mark.slow
def test_sigterm_in_validation_keeps_the_epoch(tmp_path, documents, wild, monkeypatch):
    original = ValidationSteps.run
    with monkeypatch.context() as context:
        context.setattr(ValidationSteps, "run", lambda self, iterator: (sigterm(), original(self, iterator))[1])
        with pytest.raises(RunInterruptedError):
            run(tmp_path, documents, **WILD)
    assert (tmp_path / f"checkpoints/epoch-0-step-{STEPS}.index").exists()
    assert run(tmp_path, documents, **WILD)[1].history == wild[2].history


def test_a_signal_after_the_last_validation_step_ends_the_process_too(tmp_path, documents, monkeypatch):
    original = RunState.end_epoch
    with monkeypatch.context() as context:
        context.setattr(RunState, "end_epoch", lambda self, *a, **k: (sigterm(), original(self, *a, **k))[1])
        with pytest.raises(RunInterruptedError) as ended:
            run(tmp_path, documents, epochs=1)
    assert ended.value.code == 143
    assert run(tmp_path, documents, epochs=1)[1].epoch == 1


@pytest.mark.slow
def test_more_epochs_go_on_as_if_asked_for_from_the_start(tmp_path, documents):
    """To the bit, and with a learning rate that has been reduced on the way."""
    options = {"learning_rate": 0.3, "learning_rate_patience": 1, "early_stopping_patience": 50}
    for epochs in (3, 12):
        continued, state = run(tmp_path / "continued", documents, epochs=epochs, **options)
        assert json.loads((tmp_path / "continued/config.json").read_text())["epochs"] == epochs
    at_once, expected = run(tmp_path / "at_once", documents, epochs=12, **options)
    assert state.history == expected.history
    assert len({row["learning_rate"] for row in state.history}) > 1
    same_weights(continued, at_once)
    names = ["history.csv", "config.json"]
    assert [(tmp_path / "continued" / name).read_bytes() for name in names] == [
        (tmp_path / "at_once" / name).read_bytes() for name in names
    ]


@pytest.mark.slow  # each half is shown above
def test_more_epochs_within_an_interrupted_run_too(tmp_path, documents):
    interrupted(2 * STEPS + 3, ctrl_c, tmp_path / "continued", documents, epochs=3)
    continued, state = run(tmp_path / "continued", documents, epochs=5)
    at_once, expected = run(tmp_path / "at_once", documents, epochs=5)
    assert state.history == expected.history
    same_weights(continued, at_once)


def decay(epochs):
    return keras.optimizers.schedules.CosineDecay(0.02, epochs * STEPS)


def test_under_a_schedule_over_all_epochs_more_of_them_are_refused_and_change_nothing(tmp_path, documents):
    run(tmp_path, documents, epochs=2, learning_rate=decay(2))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"decay_steps=10.* there, .*decay_steps=15.* here.*as many epochs as before"):
        run(tmp_path, documents, epochs=3, learning_rate=decay(3))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert run(tmp_path, documents, epochs=2, learning_rate=decay(2))[1].epoch == 2


def test_fewer_epochs_than_the_run_has_are_refused_and_change_nothing(tmp_path, documents):
    run(tmp_path, documents, epochs=3)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match=r"`epochs`: expected at least 3.*Received: 2"):
        run(tmp_path, documents, epochs=2)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_early_stopping_stays_the_end_of_a_run_that_is_given_more_epochs(tmp_path, documents, wild):
    """As from the start: a run with more epochs would have stopped at the same one."""
    shutil.copytree(wild[0], tmp_path / "run")
    model, state = run(tmp_path / "run", documents, **{**WILD, "epochs": 100})
    assert state.history == wild[2].history
    same_weights(model, wild[1])


@pytest.mark.slow
def test_a_run_killed_after_its_last_checkpoint_has_its_history_in_the_end(tmp_path, documents):
    with pytest.MonkeyPatch.context() as context:
        context.setattr(RunState, "write_history", lambda self: end_of_process())
        with pytest.raises(ProcessEndError):
            run(tmp_path, documents, epochs=1)
    assert not (tmp_path / "history.csv").exists()
    _, state = run(tmp_path, documents, epochs=1)
    with (tmp_path / "history.csv").open() as file:
        assert [float(row["val_loss"]) for row in csv.DictReader(file)] == [state.history[0]["val_loss"]]


def test_results_without_a_checkpoint_are_not_trained_again_in_silence(tmp_path, documents):
    (tmp_path / "config.json").write_text('{"run": 1, "epochs": 1}')
    (tmp_path / "metrics.json").write_text("of one epoch")
    with pytest.warns(UserWarning, match="none of its checkpoints.*training starts anew"):
        run(tmp_path, documents, epochs=1)
    assert (tmp_path / "earlier_results/1/metrics.json").read_text() == "of one epoch"


@pytest.mark.slow
def test_results_of_an_earlier_end_are_set_aside_when_training_goes_on(tmp_path, documents):
    run(tmp_path, documents, epochs=1)
    (tmp_path / "metrics.json").write_text("of one epoch")
    run(tmp_path, documents, epochs=1)  # nothing to train
    assert (tmp_path / "metrics.json").exists()
    run(tmp_path, documents, epochs=2)
    assert not (tmp_path / "metrics.json").exists()
    assert (tmp_path / "earlier_results/1/metrics.json").read_text() == "of one epoch"


def test_a_complete_run_is_not_trained_again(tmp_path, documents):
    model, state = run(tmp_path, documents)
    again, same = run(tmp_path, documents)
    assert same.history == state.history
    assert same.seconds == state.seconds
    same_weights(model, again)


def test_best_weights_that_have_changed_are_not_taken(tmp_path, documents):
    run(tmp_path, documents, epochs=1)
    file = tmp_path / "checkpoints" / "best.weights.h5"
    content = file.read_bytes()
    with h5py.File(file, "r+") as weights:
        names = []
        weights.visititems(lambda name, each: names.append(name) if isinstance(each, h5py.Dataset) else None)
        weights[names[0]][...] = 7.0
    with pytest.raises(ValueError, match="its SHA-256 has changed"):
        run(tmp_path, documents, epochs=1)
    file.write_bytes(content)
    (tmp_path / "history.csv").write_bytes(b"\xff\xfe no text")
    run(tmp_path, documents, epochs=1)
    assert (tmp_path / "history.csv").read_text(encoding="utf-8").startswith("epoch,")


def test_a_run_whose_folder_is_removed_ends_with_an_error(tmp_path, documents):
    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as context:
        original = TrainingSteps.run

        def remove(self, iterator, first, count=1):
            if first == 1:
                shutil.rmtree(folder)
            return original(self, iterator, first, count)

        context.setattr(TrainingSteps, "run", remove)
        with pytest.raises(FileNotFoundError, match="which was removed while the run went on") as raised:
            run(folder, documents, epochs=2)
    assert raised.value.place == str(folder)


def test_the_model_ends_with_the_weights_of_the_best_epoch(tmp_path, documents):
    model, state = run(tmp_path, documents, learning_rate=0.3, epochs=15)
    loss = model.evaluate(documents.evaluation_batches(20), verbose=0, return_dict=True)["loss"]
    assert loss == min(row["val_loss"] for row in state.history)
    assert state.history[state.best_epoch - 1]["val_loss"] == loss
    with (tmp_path / "history.csv").open() as file:
        assert [float(row["val_loss"]) for row in csv.DictReader(file)] == [row["val_loss"] for row in state.history]


@pytest.mark.parametrize("steps_per_execution", quick(1, [3, 1]))
def test_nan_stops_training_names_step_term_and_examples_and_spares_the_checkpoint(
    tmp_path, documents, steps_per_execution
):
    bad = data.Documents(documents.counts.astype(np.float32))
    row = 37
    bad.counts.data[bad.counts.indptr[row]] = np.inf  # the only count that no check refuses in a data set
    step = next(s for s in range(100) if row in bad.batch_ids(s, 20, seed=3))
    for documents_, epochs in ((documents, 2), (bad, 4)):
        before = {path.name: path.read_bytes() for path in tmp_path.glob("checkpoints/*")}
        options = {"epochs": epochs, "steps_per_execution": steps_per_execution, "batches_of": documents_}
        if documents_ is bad:
            with pytest.raises(FloatingPointError, match=r"nll was not finite in step (\d+).*learning rate") as raised:
                run(tmp_path / "bad", documents, **options)
        else:
            run(tmp_path, documents, **options)
    assert f"in step {step}, whose batch holds the training examples" in str(raised.value)
    assert "optimizer's `learning_rate`" in str(raised.value)  # the argument, for those who call `fit`
    assert str(row) in str(raised.value)
    assert not list((tmp_path / "bad/checkpoints").glob("epoch*"))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("checkpoints/*")} == before


@pytest.mark.parametrize("steps_per_execution", quick(1, [1, 3]))
def test_a_batch_that_the_model_refuses_is_named(tmp_path, documents, steps_per_execution):
    bad = data.Documents(documents.counts.astype(np.float32))
    row = 37
    bad.counts.data[bad.counts.indptr[row]] = np.nan  # after the check of the constructor
    step = next(s for s in range(100) if row in bad.batch_ids(s, 20, seed=3))
    with pytest.raises(ValueError, match=r"Training stopped in .*Expected counts: numbers >= 0.*nan") as raised:
        run(tmp_path, documents, batches_of=bad, epochs=4, steps_per_execution=steps_per_execution)
    if steps_per_execution == 1:
        assert f"in step {step}, whose batch holds the training examples" in str(raised.value)
        assert str(row) in str(raised.value)


@pytest.mark.parametrize(
    "rate",
    [0.25, keras.optimizers.schedules.PolynomialDecay(0.25, 10, end_learning_rate=0.0)],
    ids=["number", "schedule"],
)
def test_the_learning_rate_of_replicas_is_a_number_too(rate):
    with mirrored(2).scope():
        optimizer = keras.optimizers.SGD(rate)
        optimizer.build([keras.Variable(1.0)])
    assert learning_rate(optimizer) == 0.25
    assert "learning rate 0.25" in str(not_finite(3, ["nll"], optimizer, ""))


def test_what_a_killed_run_had_begun_to_write_is_removed(tmp_path, documents):
    run(tmp_path, documents, epochs=1)
    leftovers = [tmp_path / ".partial-a.keras", tmp_path / "checkpoints/.partial-b.weights.h5"]
    for path in leftovers:
        path.write_bytes(b"half")
    folder = tmp_path / "checkpoints/.partial-c"
    folder.mkdir()
    (folder / "epoch-2.data-00000-of-00001").write_bytes(b"half")
    before = {path.name for path in tmp_path.rglob("*")} - {
        path.name for path in [*leftovers, folder, *folder.iterdir()]
    }
    run(tmp_path, documents, epochs=1)
    assert {path.name for path in tmp_path.rglob("*")} == before

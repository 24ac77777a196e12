"""The line per epoch on the terminal."""

import io
import json
import re

import keras
import numpy as np
import pytest

from tf_vmf.training import EpochLines, EpochRecords, record
from tf_vmf.training.progress import duration


class Terminal(io.StringIO):
    def isatty(self):
        return True


LOGS = {"loss": 400.0, "perplexity": 565.4, "val_loss": 410.0, "val_perplexity": 1801.2, "kl": 17.0, "val_kl": 18.84}


@pytest.fixture
def clock(monkeypatch):
    """The time of the callback, to be set."""
    now = [100.0]
    monkeypatch.setattr("tf_vmf.training.progress.time.monotonic", lambda: now[0])
    return now


def train(clock, stream, epochs, steps, logs, first_step=0, seconds_per_step=2.0, in_place=None, lines=None):
    """What a training loop calls, each step taking two seconds and the first, which compiles, ten times as long."""
    lines = lines or EpochLines(steps, in_place, stream)
    lines.set_params({"epochs": epochs})
    lines.set_model(keras.Sequential())
    lines.model.stop_training = False
    lines.on_train_begin()
    clock[0] += 18.0
    for epoch in range(first_step // steps, epochs):
        lines.on_epoch_begin(epoch)
        for step in range(first_step % steps if epoch == first_step // steps else 0, steps):
            lines.on_train_batch_begin(step)
            clock[0] += seconds_per_step
            lines.on_train_batch_end(step, {name: value for name, value in logs.items() if "val_" not in name})
        lines.on_epoch_end(epoch, logs)
    lines.on_train_end()
    return stream.getvalue()


def test_a_line_tells_perplexities_kl_and_the_time_that_the_remaining_steps_take(clock):
    lines = train(clock, io.StringIO(), 3, 5, LOGS).splitlines()
    assert lines == [
        "1/3  train 565  valid 1,801  KL 18.8  20 s left",
        "2/3  train 565  valid 1,801  KL 18.8  10 s left",
        "3/3  train 565  valid 1,801  KL 18.8  48 s in all",
    ]


def test_a_run_resumed_within_an_epoch_is_timed_by_its_own_steps(clock):
    lines = train(clock, io.StringIO(), 3, 5, LOGS, first_step=7).splitlines()
    assert lines[0] == "2/3  train 565  valid 1,801  KL 18.8  10 s left"


def test_losses_stand_in_for_perplexities_that_are_not_logged(clock):
    lines = train(clock, io.StringIO(), 1, 2, {"loss": 0.12345, "val_loss": 12.345}).splitlines()
    assert lines == ["1/1  train 0.123  valid 12.3  22 s in all"]


def test_on_a_terminal_the_line_of_the_running_epoch_is_written_in_place(clock):
    written = train(clock, Terminal(), 2, 3, LOGS)
    assert "\r1/2  train 565  KL 17  step 2/3  8 s left\x1b[K" in written
    screen = [line.rpartition("\r")[2].removesuffix("\x1b[K") for line in written.splitlines() if line]
    shown = [re.split(r"\x1b\[K\r", line)[-1] for line in screen]
    assert shown[-1] == "2/2  train 565  valid 1,801  KL 18.8  30 s in all"
    assert written.count("\n") == 2


def test_a_titled_training_is_one_line_on_a_terminal_and_ten_elsewhere(clock):
    stream = Terminal()
    train(clock, stream, 40, 2, LOGS, lines=EpochLines(2, None, stream, "training"))
    assert stream.getvalue().count("\n") == 1
    shown = re.findall(r"\rtraining (\d+)/40", stream.getvalue())
    assert list(dict.fromkeys(map(int, shown))) == list(range(1, 41))
    assert "KL" not in stream.getvalue()
    plain = io.StringIO()
    train(clock, plain, 40, 2, LOGS, lines=EpochLines(2, None, plain, "training"))
    assert [line.split()[1] for line in plain.getvalue().splitlines()] == [f"{4 * k}/40" for k in range(1, 11)]


def test_an_interrupted_line_is_ended(clock):
    stream = Terminal()
    lines = EpochLines(5, None, stream)
    lines.set_params({"epochs": 2})
    lines.on_train_begin()
    lines.on_epoch_begin(0)
    lines.on_train_batch_begin(0)
    lines.on_train_batch_end(0, {"loss": 1.0})
    assert not stream.getvalue().endswith("\n")
    lines.on_train_end()
    assert stream.getvalue().endswith("\n")


def test_it_serves_keras_fit_too(capsys):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((6, 2), np.float32), np.ones((6, 1), np.float32)
    model.fit(x, y, batch_size=2, epochs=2, validation_data=(x, y), verbose=0, callbacks=[EpochLines(3)])
    first, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"1/2  train [\d.e-]+  valid [\d.e-]+  \d+ s left", first)
    assert re.fullmatch(r"2/2  train [\d.e-]+  valid [\d.e-]+  \d+ s in all", last)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "0 s"), (99, "99 s"), (150, "2 min"), (5000, "83 min"), (11100, "3 h 05 min")]
)
def test_times_have_two_figures(seconds, words):
    assert duration(seconds) == words


def test_records_hold_the_same_as_json_objects_with_all_that_was_logged(clock):
    stream = io.StringIO()
    logs = {**LOGS, "val_kl": np.float32(18.5), "learning_rate": float("nan")}
    lines = train(clock, stream, 3, 5, logs, lines=EpochRecords(5, stream)).splitlines()
    records = [json.loads(line, parse_constant=pytest.fail) for line in lines]  # no NaN, which is no JSON
    assert [each["seconds_left"] for each in records] == [20.0, 10.0, 0.0]
    assert [each["seconds"] for each in records] == [28.0, 38.0, 48.0]
    expected = {"event": "epoch", "epoch": 2, "epochs": 3, **LOGS, "val_kl": 18.5, "learning_rate": None}
    assert {name: records[1][name] for name in expected} == expected


def test_a_record_is_one_line_whatever_it_holds():
    text = record("end", workdir="a\nb", test={"nll": np.float64(3.5), "kl": float("inf"), "tokens": [7]})
    assert "\n" not in text
    assert json.loads(text) == {"event": "end", "workdir": "a\nb", "test": {"nll": 3.5, "kl": None, "tokens": [7]}}

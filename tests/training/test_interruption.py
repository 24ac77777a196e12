"""SIGINT, SIGTERM and SIGHUP, sent to real processes."""

import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from tests.workers import ROOT, as_in_a_terminal
from tf_vmf.training import StopSignals

# Reads the module by its path: the package would start TensorFlow.
BEGIN = """
import hashlib, os, runpy, signal, sys, time
module = runpy.run_path("tf_vmf/training/interruption.py")
StopSignals = module["StopSignals"]
"""
# Computes for minutes outside Python, without the interpreter's lock, as TensorFlow does.
COMPUTE = "hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"


def start(program, sigint=signal.SIG_DFL):
    """A process that has come to its `print("ready")`."""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + program],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: as_in_a_terminal(sigint),
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end_of(process):
    output, errors = process.communicate(timeout=60)
    return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_noted_and_ends_nothing(number):
    process = start("""
with StopSignals() as signals:
    print("ready", flush=True)
    while not signals.received:
        time.sleep(0.01)
    print("goes on after", signals.received)
""")
    process.send_signal(number)
    assert end_of(process) == (0, f"goes on after {int(number)}\n", "")


def test_the_second_ctrl_c_ends_the_process_at_once_while_it_computes_outside_python():
    process = start(f"""
with StopSignals():
    print("ready", flush=True)
    {COMPUTE}
""")
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.send_signal(signal.SIGINT)
    assert end_of(process) == (130, "", "")


def test_a_second_sigterm_ends_nothing():
    """Some cluster managers send several."""
    process = start("""
with StopSignals() as signals:
    print("ready", flush=True)
    while not signals.received:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    print("saved")
""")
    process.send_signal(signal.SIGTERM)
    assert end_of(process) == (0, "saved\n", "")


def test_a_process_whose_terminal_is_closed_goes_on_to_its_end(tmp_path):
    """Until it has saved: writing to a terminal that is gone would be an error."""
    master, slave = pty.openpty()
    program = f"""
with StopSignals() as signals:
    print("ready", flush=True)
    while not signals.received:
        time.sleep(0.01)
    print("saving", flush=True)
open({str(tmp_path / "saved")!r}, "w").write(str(signals.received))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + program], cwd=ROOT, stdout=slave, stderr=slave, preexec_fn=as_in_a_terminal
    )
    os.close(slave)
    assert os.read(master, 5) == b"ready"
    os.close(master)
    process.send_signal(signal.SIGHUP)  # as a shell does with its jobs
    assert process.wait(60) == 0
    assert (tmp_path / "saved").read_text() == str(int(signal.SIGHUP))


def test_a_sigint_that_is_ignored_stays_so():
    """As in a process that a script has started in the background."""
    process = start(
        """
with StopSignals() as signals:
    print("ready", flush=True)
    while signals.received != signal.SIGTERM:
        time.sleep(0.01)
    print("sigterm")
""",
        sigint=signal.SIG_IGN,
    )
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert end_of(process) == (0, "sigterm\n", "")


def test_handlers_are_restored_and_other_threads_change_none():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    for _ in range(3):
        with StopSignals() as signals:
            assert signals.received == 0
    within = []

    def enter():
        with StopSignals():
            within.extend(signal.getsignal(number) for number in numbers)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert within == before == [signal.getsignal(number) for number in numbers]
    wakeup = signal.set_wakeup_fd(-1)
    assert wakeup == -1

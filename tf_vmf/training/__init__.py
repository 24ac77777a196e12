"""Training: strategies, the folder of a run, checkpoints and resume."""

from tf_vmf.training.files import write_atomically, write_csv, write_json, write_text
from tf_vmf.training.fit import fit
from tf_vmf.training.run_state import RunState
from tf_vmf.training.stop_on_nan import StopOnNaN
from tf_vmf.training.strategies import STRATEGIES, get_strategy
from tf_vmf.training.workdir import Workdir

__all__ = [
    "STRATEGIES",
    "RunState",
    "StopOnNaN",
    "Workdir",
    "fit",
    "get_strategy",
    "write_atomically",
    "write_csv",
    "write_json",
    "write_text",
]

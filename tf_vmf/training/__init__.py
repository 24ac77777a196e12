"""Training: strategies, the folder of a run, checkpoints and resume."""

from tf_vmf import _backend  # noqa: F401  (first: Keras must have the right backend)
from tf_vmf.locks import LockHeldError
from tf_vmf.models.replicated_model import ReplicatedModel
from tf_vmf.training.checkpoints import Checkpoints
from tf_vmf.training.fit import fit
from tf_vmf.training.interruption import RunInterruptedError, StopSignals
from tf_vmf.training.progress import EpochLines, EpochRecords, record
from tf_vmf.training.run_state import RunState
from tf_vmf.training.strategies import STRATEGIES, WorkerLostError, Workers, get_strategy
from tf_vmf.training.workdir import Workdir

__all__ = [
    "STRATEGIES",
    "Checkpoints",
    "EpochLines",
    "EpochRecords",
    "LockHeldError",
    "ReplicatedModel",
    "RunInterruptedError",
    "RunState",
    "StopSignals",
    "Workdir",
    "WorkerLostError",
    "Workers",
    "fit",
    "get_strategy",
    "record",
]

"""Configurations of the programs: dataclasses that import no TensorFlow.

They are the one place of names, defaults, help texts and bounds: the command line is made from them, and
`tf_vmf.programs.train_documents` and `train_sentences` take them from Python.
"""

from tf_vmf.programs.configs.models import DocumentConfig, SentenceConfig
from tf_vmf.programs.configs.options import Config
from tf_vmf.programs.configs.programs import (
    ExportConfig,
    PredictConfig,
    PrepareConfig,
    RunConfig,
    ServeConfig,
    SweepConfig,
    TopicsConfig,
)

__all__ = [
    "Config",
    "DocumentConfig",
    "ExportConfig",
    "PredictConfig",
    "PrepareConfig",
    "RunConfig",
    "SentenceConfig",
    "ServeConfig",
    "SweepConfig",
    "TopicsConfig",
]

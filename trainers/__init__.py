"""Training binaries. Run from a checkout: `python -m trainers.bow_vae --help`."""

import os

# Before TensorFlow is imported: its start-up notes are no news to a reader of a training log.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

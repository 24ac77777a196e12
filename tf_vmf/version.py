"""The version of the package, in one place: setup.cfg, saved files and metrics.json read it."""

__version__ = "0.2.0"

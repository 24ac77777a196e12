r"""Trains one model for every combination of some settings and compares them on validation data.

Which concentration to take, for instance; everything after -- goes to the trainer:

    python -m trainers.sweep --trainer=bow_vae --vary=concentration=10,25,50,100,200,learned --output=runs/sweep -- \
        --flagfile=recipes/20ng_vmf.flags --data_dir=DIR
    python -m trainers.sweep --trainer=bow_vae --vary=concentration=25,100 --vary=seed=0,1,2 --output=runs/grid

Every run has a folder of its own below --output, so each has its report and resumes, as does the sweep. --output then holds
report.html and, one row per setting, sweep.csv. A run that fails is named at the end and stops no other.
"""

import sys
from collections.abc import Mapping, Sequence

from absl import flags as absl_flags

from flags.from_config import define, read
from tf_vmf._errors import ArgumentError
from tf_vmf.programs.configs import DocumentConfig, SentenceConfig, SweepConfig
from tf_vmf.programs.configs.options import UnusedOptionError
from trainers import program

_CONFIGS = {"bow_vae": DocumentConfig, "lstm_vae": SentenceConfig}


Config = DocumentConfig | SentenceConfig


def configurations(
    trainer: str, arguments: Sequence[str], grid: Sequence[Mapping[str, str]]
) -> list[tuple[Mapping[str, str], Config]]:
    """The settings of the runs, with the configuration of each.

    A flag beside the settings may do nothing under some of them, as the start of a learned concentration where the concentration is
    a number. It is left out there.

    Raises:
        ArgumentError, absl.flags.Error: A name or a value is not one of the trainer's, or a flag would do nothing in any run.
    """
    runs, unused = [], []
    for setting in grid:
        config, without = _configuration(_CONFIGS[trainer], arguments, setting)
        runs.append((setting, config))
        unused.append(without)
    for name, error in unused[0].items():
        if all(name in each for each in unused):
            raise error
    return runs


def _configuration(
    config: type[Config], arguments: Sequence[str], setting: Mapping[str, str]
) -> tuple[Config, dict[str, UnusedOptionError]]:
    """A configuration, and the flags that do nothing in it."""
    from tf_vmf.programs.components import check_latent

    values = define([config])
    unused: dict[str, UnusedOptionError] = {}
    varied = [f"--{name}={value}" for name, value in setting.items()]
    program.parse(values, [], [*arguments, *varied])
    while True:
        try:
            made = read(config, values)
            assert isinstance(made, Config)
            check_latent(made)
            return made, unused
        except UnusedOptionError as error:
            if error.name in setting or error.name in unused:
                raise
            unused[error.name] = error
            values[error.name].unparse()


def main(sweep: SweepConfig, arguments: list[str]) -> None:
    from tf_vmf import programs
    from tf_vmf.programs.sweep import settings

    given = [argument.lstrip("-").partition("=")[0] for argument in arguments]
    if "workdir" in [*given, *sweep.varied()]:
        raise ArgumentError(
            "output", "no --workdir beside it, as every run has a folder below it", "one", "Leave out --workdir."
        )
    try:
        # All of them before the first run.
        runs = configurations(sweep.trainer, arguments, settings(sweep.varied()))
    except absl_flags.Error as error:
        raise ArgumentError("vary", f"flags of {sweep.trainer}", str(error).rstrip(".")) from error
    ended = programs.run_sweep(runs, sweep.output, command=program.command_line("sweep"))
    if ended.report_file.exists():
        print(f"report  {ended.report_file.resolve().as_uri()}")
    print(f"table   {ended.table_file}")
    if ended.failures:
        sys.exit(f"{len(ended.failures)} of {len(runs)} runs failed: {'; '.join(ended.failures)}")


if __name__ == "__main__":
    program.run(main, "sweep", __doc__, SweepConfig, rest=True, resumes=True)

"""Flags from configurations, help, errors in one line and exit codes, for all programs.

Exit codes: 0 done, 1 a failure, 2 wrong use or no room for a file, 130 interrupted and saved, 143 told to end (SIGTERM) and saved,
129 its terminal was closed (SIGHUP) and saved.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.util
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

import flags as flags_of_programs
import tf_vmf
from flags.from_config import IMPORT, define, read
from flags.help import help_text
from tf_vmf._errors import ArgumentError, MissingPlaceError, PlaceError
from tf_vmf._optional import MissingPackageError
from tf_vmf.files import no_room
from tf_vmf.locks import LockHeldError
from tf_vmf.programs.configs import Config, RunConfig
from trainers import terminal

if TYPE_CHECKING:
    from tf_vmf.programs import Run

_ROOT = Path(__file__).resolve().parents[1]
_OURS = [Path(str(module.__file__)).resolve().parent for module in (tf_vmf, flags_of_programs)] + [
    Path(__file__).resolve().parent
]
_HELP = ("--help", "-help", "-h", "--helpshort", "--helpfull")
_FAILURE, _WRONG_USE, _INTERRUPTED = 1, 2, 130
# What the operating system says of a place that was named: missing, a folder, no folder, not to be written.
_OF_PLACES = {
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG", "ELOOP")
}


def run(
    main: Callable[..., None],
    name: str,
    description: str,
    *configs: type[Config],
    rest: bool = False,
    resumes: bool = False,
) -> None:
    """Parses the command line, makes the configurations, calls `main` with them and exits.

    TensorFlow is not imported before `main` does it, so help and mistakes are answered at once.

    Args:
        main: The program.
        name: Its name, as in `python -m trainers.name`.
        description: Its docstring.
        *configs: The configurations whose options are its flags, in the order of the arguments of `main`.
        rest: Whether `main` takes what follows `--` as its last argument, a list of strings.
        resumes: Whether the same command goes on where an interrupted one stopped.
    """
    terminal.guard_streams()
    goes_on = " The same command goes on." if resumes else ""
    terminal.end_on_signals(goes_on)
    arguments = sys.argv[1:]
    shown = command(name)
    end = arguments.index("--") if rest and "--" in arguments else len(arguments)
    own, others = arguments[:end], arguments[end + 1 :]
    debug = any(each in ("--debug", "-debug") for each in own)
    if any(each in _HELP for each in own):
        print(help_text(shown, description, configs), end="")
        sys.exit(0)
    if any(each in ("--version", "-version") for each in own):
        print(f"tf-vmf {tf_vmf.__version__}")
        sys.exit(0)
    values = define(configs)
    try:
        settings = parse(values, configs, [each for each in own if each not in ("--debug", "-debug")])
    except (flags.Error, ArgumentError, OSError) as error:
        _stop(error, values, debug, f"{shown} --help lists all flags.")
    try:
        for config in settings:
            config.check_places()  # before TensorFlow is imported, which takes seconds
        with terminal.quiet_start(debug):
            _flush_startup_messages()
        import_modules(values[IMPORT].value or ())
        main(*settings, *([others] if rest else []))
    except KeyboardInterrupt:
        print(f"Interrupted.{goes_on}", file=sys.stderr)
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if not is_expected(error):
            raise
        _stop(error, values, debug, "")


def import_modules(names: Sequence[str]) -> None:
    """Imports modules of the user's own, which register latents, corpora and likelihoods under names.

    Args:
        names: Names of modules, as `import` takes them, or paths of Python files.

    Raises:
        ArgumentError: There is no such module.
        MissingPlaceError: There is no such file.
    """
    if os.getcwd() not in sys.path:  # `tf-vmf` is a script, whose folder is there instead
        sys.path.insert(0, os.getcwd())
    for name in names:
        path = Path(name)
        if path.suffix != ".py":
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name is None or not (name == error.name or name.startswith(f"{error.name}.")):
                    raise  # a module that it imports is missing
                raise ArgumentError(IMPORT, "a module of Python, or a file NAME.py", repr(name)) from error
            continue
        if not path.is_file():
            raise MissingPlaceError("a module of Python, or a file NAME.py", name, name=IMPORT)
        if known := sys.modules.get(path.stem):
            if Path(getattr(known, "__file__", None) or "").resolve() == path.resolve():
                continue
            raise ArgumentError(IMPORT, "a file whose name is no module's", repr(name), "Give it another name.")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module  # as an import does it: Keras and pickle look classes up there
        spec.loader.exec_module(module)


def _flush_startup_messages() -> None:
    """Makes TensorFlow say what it says once per process: that there is no GPU, and that oneDNN does not transpose integers.

    The second would appear between two epochs. A session leaves the devices of the process open to the program, an eager
    operation would fix them.
    """
    tf = importlib.import_module("tensorflow")
    # The models of a sweep differ, so that each traces its own functions.
    tf.get_logger().addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())
    tf.config.list_physical_devices("GPU")
    with (
        tf.Graph().as_default(),
        tf.compat.v1.Session(config=tf.compat.v1.ConfigProto(device_count={"GPU": 0})) as session,
    ):
        session.run(tf.transpose(tf.compat.v1.placeholder_with_default([[0, 1], [2, 3]], [None, None])))


def parse(values: flags.FlagValues, configs: Sequence[type[Config]], arguments: Sequence[str]) -> list[Config]:
    """The configurations that a command line describes.

    Raises:
        ArgumentError: A value is not possible, or there are arguments that are not flags.
        flags.Error: There is no such flag; the message names the closest.
    """
    rest = values(["program", *map(_with_recipe, arguments)])[1:]
    if rest:
        raise flags.Error(f"Unexpected arguments: {' '.join(rest)}. Every option is a flag: --name=value.")
    return [read(config, values) for config in configs]


def command(name: str) -> str:
    """The command of a program, in a checkout or where the package is installed."""
    return f"python -m trainers.{name}" if (_ROOT / "setup.cfg").is_file() else f"tf-vmf {name}"


def _with_recipe(argument: str) -> str:
    """`--flagfile=NAME` with the file of the shipped recipe of that name, unless there is such a file."""
    option, _, file = argument.partition("=")
    recipe = _ROOT / "recipes" / f"{Path(file).name.removesuffix('.flags')}.flags"
    if option.lstrip("-") == "flagfile" and not Path(file).is_file() and recipe.is_file():
        return f"--flagfile={recipe}"
    return argument


def is_expected(error: BaseException) -> bool:
    """True for errors that the user can mend: raised by this package about its input, or about a place or a package."""
    if isinstance(error, ArgumentError | PlaceError | MissingPackageError | FloatingPointError | LockHeldError):
        return True
    if no_room(error) is not None:
        return True
    if isinstance(error, OSError) and (error.errno in _OF_PLACES or isinstance(error, FileNotFoundError)):
        return True
    inside = Path(traceback.extract_tb(error.__traceback__)[-1].filename).resolve()
    return isinstance(error, ValueError | OSError | TypeError) and any(folder in inside.parents for folder in _OURS)


def message_of(error: BaseException, values: flags.FlagValues) -> str:
    """An error as a program prints it: "--flag: problem" where an argument, or the value of a flag, is what is wrong."""
    if isinstance(error, ArgumentError):
        return f"--{error.name}: {error.problem}" if not error.owner or error.name in values else str(error)
    lack = no_room(error)
    if lack is not None:
        what = lack.filename or "A file could not be written"
        return f"{what}: {lack.strerror}. Make room, or name another place, and repeat the command."
    if not isinstance(error, OSError):
        return str(error)
    place, text = error.filename, str(error)
    if isinstance(error, PlaceError):
        place, text = error.place, error.problem
    elif error.strerror and place:
        text = f"{place}: {error.strerror}."
    elif isinstance(error, FileNotFoundError) and not place:  # of the system, about no name: of `os.getcwd`
        text = "The folder that the command was started in is gone. Change to another, and repeat the command."
    name = getattr(error, "name", "")
    flag = name if name in values else _flag_of_place(place, values)
    return f"--{flag}: {text}" if flag else f"{place}: {text}" if place and place not in text else text


def _flag_of_place(place: object, values: flags.FlagValues) -> str | None:
    """The flag that names a place, alone or as one of several, with a label or without."""
    for name in values:
        given = values[name].value
        for entry in given if isinstance(given, list) else [given]:
            if isinstance(entry, str) and str(place) in (entry, entry.partition("=")[2]):
                return str(name)
    return None


def _stop(error: BaseException, values: flags.FlagValues, debug: bool, hint: str) -> Any:
    """Prints an error in one line, and where it was raised if asked to; exits."""
    if debug:
        traceback.print_exception(error)
    with contextlib.suppress(BrokenPipeError):
        print("\n".join(filter(None, [f"error: {message_of(error, values)}", hint])), file=sys.stderr)
    sys.exit(_FAILURE if isinstance(error, FloatingPointError) else _WRONG_USE)


def command_line(name: str) -> str:
    """The command that runs this program, for a report."""
    return shlex.join([*command(name).split(), *sys.argv[1:]])


def verbosity(run: RunConfig) -> bool | str:
    """The argument `verbose` of a training function, from the format of the log."""
    return "json" if run.log_format == "json" else True


def print_run(run: Run, log_format: str = "text") -> None:
    """Prints the measures of a run, where its files are, and what one may do next; nothing on workers but the first."""
    if not run.metrics:
        return
    if log_format == "json":
        from tf_vmf.training import record

        print(record("end", workdir=str(run.workdir.path), test=run.metrics["test"], valid=run.metrics["valid"]))
        return
    from tf_vmf.report import summary

    folder = run.workdir.path
    print(f"\n{summary(run.metrics, config=run.workdir.config)}\n")
    if run.workdir.report_file.exists():
        print(f"report  {run.workdir.report_file.resolve().as_uri()}")
    print(f"model   {run.workdir.model_file}")
    print_next("export", model=folder, output=f"exports/{folder.name}/1")


def print_next(name: str, **values: object) -> None:
    """Prints the command that comes next, to be pasted: a program and values of its flags."""
    flags_given = [f"--{flag}={value}" for flag, value in values.items()]
    print(f"next    {shlex.join([*command(name).split(), *flags_given])}")

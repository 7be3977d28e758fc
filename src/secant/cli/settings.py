"""The options that say how to train: declared once, taken by ``train``, ``compare`` and others.

An option is called like the attribute of `Settings` or `Strategy` that it sets, and has its default.
Options of a ``--config`` file count where the command line is silent.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_type_hints

import typer

from secant.cli.shared import fail, file_name

__all__ = ["chosen", "layers", "new_folder", "take_table", "takes_settings", "words"]

_DATA, _NETWORK, _OPTIMISER = "Data", "Network and loss", "Optimiser and limits"


def _option(*names: str, panel: str, **more: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **more)


def _declared(
    config: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Options; the command line wins.")
    ] = None,
    target: Annotated[
        list[str] | None,
        _option(panel=_DATA, metavar="COLUMN", help="To learn; several as y,z."),
    ] = None,
    task: Annotated[str, _option(panel=_DATA, help="auto, regression or classification.")] = "auto",
    ignore: Annotated[
        list[str] | None,
        _option(panel=_DATA, metavar="COLUMN", help="No input; may be repeated."),
    ] = None,
    categorical: Annotated[
        list[str] | None,
        _option(panel=_DATA, metavar="COLUMN", help="Its numbers are codes; may be repeated."),
    ] = None,
    separator: Annotated[str | None, _option(panel=_DATA, help="Between two cells.")] = None,
    decimal: Annotated[str, _option(panel=_DATA, help="Before the fraction of a number.")] = ".",
    thousands: Annotated[
        str | None, _option(panel=_DATA, help="Between groups of three digits.")
    ] = None,
    encoding: Annotated[
        str, _option(panel=_DATA, help="Of a text file, such as latin-1.")
    ] = "utf-8",
    division: Annotated[
        str, _option(panel=_DATA, help="auto, random, stratified, blocks, time or column.")
    ] = "auto",
    validation_fraction: Annotated[
        float, _option(panel=_DATA, help="Share of the rows that say when to stop.")
    ] = 0.2,
    test_fraction: Annotated[
        float, _option(panel=_DATA, help="Share of the rows that judge the model.")
    ] = 0.2,
    division_column: Annotated[
        str | None,
        _option(panel=_DATA, metavar="COLUMN", help="Orders the rows, or names their part."),
    ] = None,
    missing: Annotated[
        str, _option(panel=_DATA, help="median, mean, most-frequent, indicator or drop.")
    ] = "median",
    unknown: Annotated[
        str, _option(panel=_DATA, help="A category that no training row has: ignore or error.")
    ] = "ignore",
    scaling: Annotated[
        str, _option(panel=_DATA, help="Of inputs: mean-std, min-max, log or none.")
    ] = "mean-std",
    target_scaling: Annotated[
        str, _option(panel=_DATA, help="Of the target: mean-std, min-max, log or none.")
    ] = "mean-std",
    column_scaling: Annotated[
        list[str] | None,
        _option(panel=_DATA, metavar="COLUMN=SCALING", help="Of one column; may be repeated."),
    ] = None,
    hidden: Annotated[
        str, _option(panel=_NETWORK, help="Units of each hidden layer, or none.")
    ] = "16,16",
    activation: Annotated[str, _option(panel=_NETWORK, help="Of the hidden layers.")] = "tanh",
    loss: Annotated[
        str, _option(panel=_NETWORK, help="auto, or a loss such as mean-squared or huber.")
    ] = "auto",
    l2: Annotated[
        float, _option(panel=_NETWORK, help="Factor of the sum of squared weights.")
    ] = 1e-3,
    l1: Annotated[
        float, _option(panel=_NETWORK, help="Factor of the sum of absolute weights, for owl-qn.")
    ] = 0.0,
    smooth_l1: Annotated[
        float, _option(panel=_NETWORK, help="The same, smoothed, for every method.")
    ] = 0.0,
    smoothing: Annotated[
        float, _option(panel=_NETWORK, help="Weights below this are small for smooth-l1.")
    ] = 1e-3,
    exponent: Annotated[float, _option(panel=_NETWORK, help="Of the loss minkowski.")] = 1.5,
    delta: Annotated[float, _option(panel=_NETWORK, help="Of the loss huber.")] = 1.0,
    initialisation: Annotated[
        str, _option(panel=_NETWORK, help="How the first weights are drawn.")
    ] = "xavier",
    starts: Annotated[
        int, _option(panel=_NETWORK, help="Trainings, of which the best one is kept.")
    ] = 1,
    dtype: Annotated[
        str, _option(panel=_NETWORK, help="Precision of the network: float64 or float32.")
    ] = "float64",
    seed: Annotated[
        int, _option(panel=_NETWORK, help="Of the division and the first weights.")
    ] = 0,
    method: Annotated[
        str, _option(panel=_OPTIMISER, help="auto, or one of: secant methods.")
    ] = "l-bfgs",
    max_seconds: Annotated[
        float, _option(panel=_OPTIMISER, help="Limit on the training time.")
    ] = 60.0,
    max_iter: Annotated[int, _option(panel=_OPTIMISER, help="Limit on the iterations.")] = 10_000,
    patience: Annotated[
        int, _option(panel=_OPTIMISER, help="Iterations in a row without a lower validation loss.")
    ] = 50,
    gtol: Annotated[float, _option(panel=_OPTIMISER, help="Gradient at which to stop.")] = 1e-6,
    max_evals: Annotated[
        int | None, _option(panel=_OPTIMISER, help="Limit on the evaluations of the loss.")
    ] = None,
    pairs: Annotated[
        int | None, _option(panel=_OPTIMISER, help="Steps that l-bfgs remembers.")
    ] = None,
    single_first: Annotated[
        bool, _option("--single-first", panel=_OPTIMISER, help="First iterations in float32.")
    ] = False,
    goal: Annotated[
        float | None, _option(panel=_OPTIMISER, help="Training loss at which to stop.")
    ] = None,
    tol: Annotated[
        float, _option(panel=_OPTIMISER, help="Fall of the loss that counts; 0 never stops.")
    ] = 0.0,
    n_iter_no_change: Annotated[
        int, _option(panel=_OPTIMISER, help="Iterations in a row with a smaller fall than tol.")
    ] = 10,
    learning_rate: Annotated[
        float | None, _option(panel=_OPTIMISER, help="Of adam, adamw and sgd.")
    ] = None,
    batch_size: Annotated[
        int | None, _option(panel=_OPTIMISER, help="Rows of one step of adam, adamw and sgd.")
    ] = None,
    bayesian: Annotated[
        bool, _option("--bayesian", panel=_OPTIMISER, help="Let lm find the factor of l2.")
    ] = False,
) -> None:
    """The options; the function is never called."""


def takes_settings(*, without: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Give a command the options above in the place of its ``**options``, but those `without`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        options = inspect.signature(_declared, eval_str=True).parameters
        taken = [
            option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for option in options.values()
            if option.name not in without
        ]
        own = inspect.signature(command, eval_str=True)
        before = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
        first = [one for one in before if one.kind is not one.KEYWORD_ONLY]
        last = [one for one in before if one.kind is one.KEYWORD_ONLY]
        signature = own.replace(parameters=[*first, *taken, *last])
        command.__signature__ = signature  # type: ignore[attr-defined]
        hints = get_type_hints(command, include_extras=True)
        hints.pop("options", None)
        command.__annotations__ = hints | {option.name: option.annotation for option in taken}
        return command

    return decorate


def chosen(
    context: typer.Context, more: Mapping[str, Any], plain: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the command line and the ``--config`` file choose, for `settings_from`.

    Parameters
    ----------
    context : typer.Context
        Of the command.
    more : dict of str to type
        Options of the command that are no settings and may stand in the file; they are among what
        is returned if they were given.
    plain : dict, optional
        Options whose value in a file is another than the text of the command line.
    """
    from secant.learn.config import check_options, read_config

    config = context.params.get("config")
    options = read_config(config, more) if config else {}
    declared = inspect.signature(_declared).parameters.keys() - {"config"}
    given = {
        name: plain[name] if plain and name in plain else _as_plain(name, value)
        for name, value in context.params.items()
        if name in {*declared, *more} and _is_given(context, name)
    }
    if given.get("task") == "auto":
        options.pop("task", None)
        del given["task"]
    return options | check_options(given, more)


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _as_plain(name: str, value: Any) -> Any:
    """The value of an option as it would stand in a file."""
    if name == "hidden":
        return layers(value)
    if name == "task":
        return _task(value)
    return str(value) if isinstance(value, Path) else value


def layers(text: str) -> tuple[int, ...]:
    """Units of hidden layers from ``16,16`` or ``none``."""
    if text.strip().lower() in ("", "none"):
        return ()
    try:
        units = tuple(int(part) for part in text.split(","))
    except ValueError:
        units = (0,)
    if min(units) < 1:
        fail(f"--hidden must be whole numbers from 1 such as 16,16, or none, not {text!r}")
    return units


def _task(text: str) -> str:
    from secant.learn import Task

    names = ["auto", *(task.value for task in Task)]
    if text not in names:
        fail(f"--task must be one of {', '.join(names)}, not {text!r}")
    return text


def words(text: str) -> tuple[str, ...]:
    """The parts of a list such as ``l-bfgs,bfgs``."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def take_table(choice: dict[str, Any]) -> str:
    """Take the table out of what was chosen; a command without table or target ends here."""
    data: str | None = choice.pop("data", None)
    if data is None:
        fail("the table is missing: give a file such as data.csv, or - for standard input")
    if "target" not in choice:
        _fail_without_target(data, choice)
    return data


def new_folder(out: str | None, name: str, *, replace: bool, marker: str) -> Path:
    """The folder to write, by default a new one in ``runs/``; it is refused before it takes time."""
    from secant.learn.output import check_new_folder, free_folder

    folder = Path(out or free_folder(Path("runs") / file_name(name)))
    check_new_folder(folder, replace=replace, marker=marker)
    return folder


def _fail_without_target(data: str, choice: Mapping[str, Any]) -> NoReturn:
    """End a command that was given no target, with the columns there are."""
    from secant.learn.errors import listing
    from secant.learn.tables.data import read_table
    from secant.learn.tables.dialect import Dialect

    given = {name: choice[name] for name in inspect.signature(Dialect).parameters if name in choice}
    columns = listing(read_table(data, dialect=Dialect(**given)).columns)
    fail(f"--target is missing: name the column to learn; {Path(data).name} has {columns}")

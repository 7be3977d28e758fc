"""The report of one training."""

from __future__ import annotations

import secant
from secant.learn.job import Trained
from secant.learn.preparation import NumericInput
from secant.learn.scores import confusion
from secant.learn.target import ClassTarget
from secant.report import plots
from secant.report.numbers import count, short, time
from secant.report.page import (
    Block,
    Bullets,
    Code,
    Facts,
    Figure,
    Highlight,
    Note,
    Page,
    Section,
    Table,
)
from secant.report.svg import to_svg

__all__ = ["score_table", "training_page"]


def training_page(trained: Trained, command: str) -> Page:
    """The page about a training.

    Parameters
    ----------
    trained : Trained
        What `train_table` returned.
    command : str
        The command line that repeats it.
    """
    sections = [
        Section("Results", (score_table(trained), _explanation(trained), *_notes(trained))),
        Section("Training", _training_figures(trained)),
        Section("Predictions", _predictions(trained)),
        Section("The optimiser's account", (_account(trained),)),
        Section("Network and loss", (_network(trained),)),
        Section("Data", (_data(trained), _columns(trained))),
        Section("Configuration", (_configuration(trained), Code(command))),
    ]
    return Page(
        title=f"{trained.dataset.source}: {trained.settings.target}",
        subtitle=_subtitle(trained),
        highlights=_highlights(trained),
        sections=tuple(sections),
        footer=f"Written by secant {secant.__version__}.",
    )


def score_table(trained: Trained) -> Table:
    """Loss and scores on the three parts of the rows."""
    names = list(trained.scores["test"].values)
    rows = [
        (
            part,
            count(scores.rows),
            short(scores.loss),
            *(short(scores.values[name]) for name in names),
        )
        for part, scores in trained.scores.items()
    ]
    return Table(("part", "rows", "loss", *names), tuple(rows))


def _explanation(trained: Trained) -> Note:
    text = f"The loss is the {trained.index.error.name}, without the regularisation term."
    if "RMSE" in trained.scores["test"].values:
        text += (
            f" RMSE, the root of the mean squared error, is in units of {trained.settings.target}."
        )
    return Note(text)


def _notes(trained: Trained) -> tuple[Bullets, ...]:
    return (Bullets(trained.dataset.notes),) if trained.dataset.notes else ()


def _subtitle(trained: Trained) -> str:
    kind = trained.model.target.task.value
    kind = kind.capitalize()
    weights = count(trained.model.network.count, "weight")
    return f"{kind} with a network of {weights}, trained by {trained.settings.strategy.method}"


def _highlights(trained: Trained) -> tuple[Highlight, ...]:
    test = trained.scores["test"].values
    scores = [Highlight(short(value, 3), f"{name}, test rows") for name, value in test.items()]
    training = trained.training
    return (
        *scores,
        Highlight(count(training.iterations), "iterations"),
        Highlight(count(training.evaluations), "evaluations"),
        Highlight(time(training.seconds), "training time"),
    )


def _training_figures(trained: Trained) -> tuple[Figure, ...]:
    history = trained.training.history
    best = trained.training.best
    return (
        Figure(
            to_svg(plots.loss_curves(history), "loss"),
            f"The weights of iteration {best.iteration}, where the validation loss is lowest "
            f"({short(best.validation_loss)}), were kept.",
            "Training and validation loss over the iterations",
        ),
        Figure(
            to_svg(plots.gradient_norm(history), "gradient"),
            "Largest absolute component of the gradient of the loss index.",
            "Largest gradient component over the iterations",
        ),
    )


def _predictions(trained: Trained) -> tuple[Block, ...]:
    if isinstance(trained.model.target, ClassTarget):
        return _class_predictions(trained, trained.model.target.classes)
    actual, predicted = trained.dataset.target.to_numpy(), trained.predicted
    target, test = trained.settings.target, trained.parts.test
    return (
        Figure(
            to_svg(plots.parity(actual, predicted, dict(trained.parts.items()), target), "parity"),
            "Each point is a row; on the line the prediction is right.",
            f"Predicted against actual {target}",
        ),
        Figure(
            to_svg(plots.error_histogram(predicted[test] - actual[test], target), "errors"),
            f"Errors of the {count(len(test), 'test row')}.",
            f"Histogram of the errors of {target} on the test rows",
        ),
    )


def _class_predictions(trained: Trained, classes: tuple[str, ...]) -> tuple[Block, ...]:
    test = trained.parts.test
    counts = confusion(trained.dataset.target.to_numpy()[test], trained.predicted[test], classes)
    figure = Figure(
        to_svg(plots.confusion_matrix(counts, classes), "confusion"),
        f"The {count(len(test), 'test row')}: how many of each actual class were predicted as "
        "each class. The darker, the larger the share of the actual class.",
        f"Confusion matrix of {trained.settings.target} on the test rows",
    )
    right = counts.diagonal()
    rows = tuple(
        (
            label,
            count(int(counts[place].sum())),
            short(_share(right[place], counts[:, place].sum())),
            short(_share(right[place], counts[place].sum())),
        )
        for place, label in enumerate(classes)
    )
    return figure, Table(("class", "test rows", "precision", "recall"), rows)


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else float("nan")


def _account(trained: Trained) -> Facts:
    training = trained.training
    first, last = training.history.epochs[0], training.history.epochs[-1]
    return Facts(
        (
            ("stop", training.status.value),
            ("iterations", count(training.iterations)),
            ("kept iteration", count(training.best.iteration)),
            ("evaluations of the loss", count(training.evaluations)),
            ("evaluations of the gradient", count(training.gradients)),
            ("seconds", short(training.seconds)),
            ("loss index at the start", short(first.objective)),
            ("loss index at the end", short(last.objective)),
            ("largest gradient component at the start", short(first.gradient_norm)),
            ("largest gradient component at the end", short(last.gradient_norm)),
        )
    )


def _network(trained: Trained) -> Facts:
    network, settings = trained.model.network, trained.settings
    return Facts(
        (
            ("units of each layer", " – ".join(map(str, network.sizes))),
            ("activation", network.activation),
            ("weights and biases", count(network.count)),
            ("precision", "float64"),
            ("error term", trained.index.error.name),
            ("regularisation term", f"{settings.l2:g} × sum of the squared weights"),
        )
    )


def _data(trained: Trained) -> Facts:
    dataset, parts = trained.dataset, trained.parts
    return Facts(
        (
            ("file", dataset.source),
            ("rows", count(len(dataset.frame))),
            ("training rows", count(len(parts.train))),
            ("validation rows", count(len(parts.validation))),
            ("test rows", count(len(parts.test))),
            ("inputs of the network", count(trained.model.preparation.width)),
        )
    )


_MOST_COLUMNS_LISTED = 200


def _columns(trained: Trained) -> Table:
    """One row for each input column, and one for the target."""
    frame = trained.dataset.frame
    rows = []
    for entry in trained.model.preparation.inputs[:_MOST_COLUMNS_LISTED]:
        if isinstance(entry, NumericInput):
            mean, deviation = short(entry.mean), short(entry.scale)
            kind, statistics = "number", f"mean {mean}, standard deviation {deviation}"
        else:
            kind, statistics = "category", _shortened(", ".join(entry.categories))
        missing = int(frame[entry.name].isna().sum())
        rows.append((entry.name, kind, statistics, count(missing)))
    rows.append((trained.settings.target, *_target(trained), "0"))
    left = len(trained.model.preparation.inputs) - _MOST_COLUMNS_LISTED
    if left > 0:
        rows.append((f"and {left} more columns", "", "", ""))
    return Table(("column", "kind", "in the training rows", "missing"), tuple(rows), 3)


def _target(trained: Trained) -> tuple[str, str]:
    target = trained.model.target
    if not isinstance(target, ClassTarget):
        mean, deviation = short(target.mean), short(target.scale)
        return "target, number", f"mean {mean}, standard deviation {deviation}"
    counts = trained.dataset.target.iloc[trained.parts.train].value_counts()
    return "target, class", _shortened(
        ", ".join(f"{name}: {counts[name]}" for name in target.classes)
    )


def _shortened(text: str, limit: int = 160) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _configuration(trained: Trained) -> Facts:
    settings, strategy = trained.settings, trained.settings.strategy
    return Facts(
        (
            ("method", strategy.method),
            ("hidden layers", ", ".join(map(str, settings.hidden)) or "none"),
            ("activation", settings.activation),
            ("loss", settings.loss),
            ("l2", f"{settings.l2:g}"),
            ("seed", str(settings.seed)),
            ("division", "60 % training, 20 % validation, 20 % test, at random"),
            ("gradient tolerance", f"{strategy.gtol:g}"),
            ("most iterations", count(strategy.max_iter)),
            ("most seconds", f"{strategy.max_seconds:g}"),
            ("validation failures allowed", count(strategy.patience)),
            ("task", settings.task.value if settings.task else "auto"),
        )
    )

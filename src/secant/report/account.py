"""The blocks of the optimiser's account: what it did, why it ended, how hard the problem was there."""

from __future__ import annotations

from secant.report.numbers import count, short, time
from secant.report.page import Block, Facts, Note
from secant.report.record import ConditionEstimate, Record

__all__ = ["account_blocks"]


def account_blocks(record: Record) -> tuple[Block, ...]:
    """How the training went and ended, and the ends of the Hessian's spectrum."""
    account, curves = record.account, record.curves
    last = len(curves) - 1
    rows = [
        ("method", account.method),
        *account.more.items(),
        ("end", account.status),
        ("iterations", count(account.iterations)),
        ("kept iteration", count(account.kept)),
        ("evaluations of the loss", count(account.evaluations)),
        ("evaluations of the gradient", count(account.gradients)),
        ("training time", time(account.seconds)),
    ]
    for name, words in (("objective", "loss index"), ("gradient_norm", "gradient")):
        if curves.shows(name):
            rows += [
                (f"{words} at the start", short(float(curves[name][0]))),
                (f"{words} at the end", short(float(curves[name][last]))),
            ]
    return (Facts(tuple(rows)), *_condition(account.condition))


def _condition(found: ConditionEstimate | None) -> tuple[Block, ...]:
    if found is None:
        return ()
    how = "exact" if found.complete else "estimate"
    rows = [
        ("largest eigenvalue", short(found.largest)),
        ("smallest eigenvalue", short(found.smallest)),
        (f"condition number, {how}", short(found.condition)),
    ]
    if found.negative >= 0:
        rows.append(("negative eigenvalues", count(found.negative)))
    return (
        Facts(tuple(rows)),
        Note(
            "Of the Hessian of the loss index at the weights that were kept, on "
            f"{count(found.rows, 'training row')}, by {count(found.products, 'product')} with it "
            "(Lanczos). " + _condition_in_words(found)
        ),
    )


def _condition_in_words(found: ConditionEstimate) -> str:
    if found.complete and found.negative > 0:
        return (
            "There are negative eigenvalues: the training stopped before a minimum of the loss "
            "index, as it does when the validation loss rises."
        )
    if not found.complete and found.smallest <= 0:
        return (
            "An eigenvalue below zero was found: the training stopped before a minimum of the "
            "loss index, where there is no condition number."
        )
    if found.complete:
        return "Gradient descent takes about as many iterations as the condition number."
    return (
        "Not all eigenvalues were computed; the true spectrum is at least as wide, so the "
        "condition number is at least this."
    )

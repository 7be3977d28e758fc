"""``secant methods``: the optimisers there are."""

from __future__ import annotations

import json

from secant.cli.shared import Json

__all__ = ["methods"]


# What `secant.learn` has besides; named here, because listing methods must not import PyTorch.
_TRAINING = {
    "auto": ("chosen by the size of the network and the table", "secant train says what and why"),
    "adam": ("Adam in mini-batches", "Kingma & Ba 2015, Alg. 1"),
    "adamw": ("Adam in mini-batches, weights decayed apart", "Loshchilov & Hutter 2019, Alg. 2"),
    "sgd": ("gradient descent with momentum in mini-batches", "Robbins & Monro 1951"),
}


def methods(as_json: Json = False) -> None:
    """List the optimisers: name, what it is, where it is from; then those for tables alone."""
    from secant.methods import REGISTRY

    if as_json:
        listed = [_described(entry) for entry in REGISTRY.values()]
        names = ("summary", "source")
        tables = [
            {"name": name, **dict(zip(names, texts, strict=True))}
            for name, texts in _TRAINING.items()
        ]
        print(json.dumps({"methods": listed, "for_tables": tables}))
        return
    width = max(map(len, REGISTRY)) + 2
    for entry in REGISTRY.values():
        also = f" (also called {', '.join(entry.aliases)})" if entry.aliases else ""
        print(f"{entry.name:<{width}}{entry.summary}{also}\n{'':<{width}}{entry.source}")
    print("\nfor secant train, compare and tune:\n")
    for name, (summary, source) in _TRAINING.items():
        print(f"{name:<{width}}{summary}\n{'':<{width}}{source}")


def _described(entry: object) -> dict[str, object]:
    return {name: getattr(entry, name) for name in ("name", "summary", "source", "aliases")}

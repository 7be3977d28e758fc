"""The two shapes of a target: one column, or several that one network learns together."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from secant.learn.targets.columns import Task, title

__all__ = ["OneColumn", "SeveralColumns"]


class OneColumn:
    """A target of one column.

    Attributes
    ----------
    name : str
        Of the column.
    task : Task
        What is learnt about it.
    """

    name: str
    task: ClassVar[Task]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learnt: one."""
        return (self.name,)

    def described(self) -> dict[str, Any]:
        """What a model file says of the column beside the task."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        return {"task": self.task.value, **self.described()}


Column = TypeVar("Column", bound=OneColumn)


class SeveralColumns(Generic[Column]):
    """Several columns, an output for each.

    Attributes
    ----------
    columns : tuple of OneColumn
        In the order of the outputs.
    task : Task
        What is learnt about all of them.
    """

    columns: tuple[Column, ...]
    task: ClassVar[Task]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are learnt."""
        return tuple(column.name for column in self.columns)

    @property
    def name(self) -> str:
        """The names of all, shortened where there are many; for people."""
        return title(self.names)

    @property
    def outputs(self) -> int:
        """How many outputs the network has."""
        return len(self.columns)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for a model file."""
        targets = [column.described() for column in self.columns]
        return {"task": self.task.value, "targets": targets}

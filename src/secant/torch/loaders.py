"""Batches of a loader: their size, their device; and which loaders go through all the data once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, WeightedRandomSampler
from torch.utils.data.distributed import DistributedSampler

Tensor = torch.Tensor


def rows(batch: Any) -> float:
    """Length of the first dimension of the first tensor in a batch."""
    for tensor in _tensors(batch):
        if tensor.ndim > 0:
            return float(tensor.shape[0])
    raise ValueError(
        f"a batch must hold a tensor whose first dimension is its size, got {kind_of(batch)}; give weight"
    )


def moved(batch: Any, device: torch.device) -> Any:
    """The batch with its tensors on ``device``; mappings become dicts, the rest stays what it is."""
    if hasattr(batch, "to"):  # tensors, and containers that move themselves
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {key: moved(item, device) for key, item in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(moved(item, device) for item in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(moved(item, device) for item in batch)
    return batch


def _tensors(batch: Any) -> Iterator[Tensor]:
    if isinstance(batch, Tensor):
        yield batch
    elif isinstance(batch, (Mapping, tuple, list)):
        for item in batch.values() if isinstance(batch, Mapping) else batch:
            yield from _tensors(item)


def kind_of(value: Any) -> str:
    """What came, for a sentence about what is allowed."""
    if isinstance(value, Tensor):
        graph = "" if value.requires_grad else " without a graph"
        return f"a tensor of shape {tuple(value.shape)}{graph}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def check_loader(loader: Any) -> None:
    """Refuse loaders whose passes do not go through all the data exactly once."""
    if not isinstance(loader, Iterable):
        raise ValueError(f"loader must be iterable, got {kind_of(loader)}")
    if isinstance(loader, Iterator):
        raise ValueError(
            f"loader must be an iterable that every evaluation can go through again, got "
            f"{kind_of(loader)}, which is empty after one pass; give a list or a DataLoader"
        )
    if not isinstance(loader, DataLoader):
        return
    if loader.drop_last and _drops(loader):
        raise ValueError(
            "loader must give all the data, got drop_last=True, which leaves out the samples of "
            "the last batch"
        )
    problem = _changed_by_sampler(loader)
    if problem:
        raise ValueError(f"loader must give every sample once, got {problem}")


def _drops(loader: DataLoader[Any]) -> bool:
    """Whether the last batch is smaller than the others, as far as one can know."""
    if isinstance(loader.dataset, IterableDataset):
        return True
    return len(loader.sampler) % (loader.batch_size or 1) != 0  # type: ignore[arg-type]


def _changed_by_sampler(loader: DataLoader[Any]) -> str | None:
    sampler = loader.sampler
    if isinstance(sampler, WeightedRandomSampler):
        return "a WeightedRandomSampler, which draws other samples in every pass"
    if isinstance(sampler, DistributedSampler):
        return "a DistributedSampler, which gives each process a part, some samples twice or never"
    if isinstance(sampler, RandomSampler) and sampler.replacement:
        return "a RandomSampler with replacement, which draws other samples in every pass"
    if isinstance(sampler, RandomSampler) and sampler.num_samples != len(sampler.data_source):
        return (
            f"a RandomSampler of {sampler.num_samples} among {len(sampler.data_source)} samples, "
            "which draws others in every pass"
        )
    return None

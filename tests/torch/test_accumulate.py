"""Loss and gradient over a loader: equal to those of all the data at once, or refused."""

import gc
import weakref
from collections import namedtuple

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
)
from torch.utils.data.distributed import DistributedSampler

import secant.torch
from secant.torch import full_batch_closure
from secant.torch.loaders import moved

ROWS = 53  # prime: no batch size divides it


def network(dtype=torch.float64, outputs=1, seed=0):
    torch.manual_seed(seed)
    parts = torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, outputs)
    return torch.nn.Sequential(*parts).to(dtype)


def data(dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    X = torch.randn(ROWS, 3, generator=generator, dtype=torch.float64)
    return X.to(dtype), (X[:, :1] ** 2 - X[:, 1:2]).to(dtype)


def pairs(batch_size=8, dtype=torch.float64, **options):
    return DataLoader(TensorDataset(*data(dtype)), batch_size=batch_size, **options)


def at_once(model, loss, weight_decay=0.0):
    """The oracle: one graph over everything."""
    for p in model.parameters():
        p.grad = None
    X, y = data(next(model.parameters()).dtype)
    value = loss(model(X), y)
    value = value + 0.5 * weight_decay * sum((p**2).sum() for p in model.parameters())
    value.backward()
    return value.detach(), gradients(model)


def gradients(model):
    return [p.grad.clone() for p in model.parameters()]


def close(found, expected, rtol=1e-13):
    torch.testing.assert_close(found, expected, rtol=rtol, atol=rtol)


# ------------------------------------------------------------------------------- the same numbers


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("batch_size", [1, 8, ROWS, 100])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_equals_the_full_batch(reduction, batch_size, weight_decay):
    model = network()

    def loss(output, target):
        return mse_loss(output, target, reduction=reduction)

    value, gradient = at_once(model, loss, weight_decay)
    closure = full_batch_closure(
        model, loss, pairs(batch_size), reduction=reduction, weight_decay=weight_decay
    )
    for _ in range(2):  # nothing is left over from the first call
        close(closure(), value)
        close(gradients(model), gradient)
    assert closure.samples == ROWS


def test_shuffling_changes_round_off_alone():
    model = network()
    value, gradient = at_once(model, mse_loss)
    closure = full_batch_closure(model, mse_loss, pairs(shuffle=True))
    close(closure(), value)
    close(gradients(model), gradient)


def test_works_under_no_grad():
    model = network()
    _, gradient = at_once(model, mse_loss)
    with torch.no_grad():
        full_batch_closure(model, mse_loss, pairs())()
    close(gradients(model), gradient)


def test_weights_count_what_the_mean_averages():
    """Classes of -1 are left out by the loss, unevenly over the batches."""
    model = network(outputs=4)
    X, _ = data()
    classes = torch.arange(ROWS) % 4
    classes[5:14] = -1

    def loss(output, target):
        return cross_entropy(output, target, ignore_index=-1)

    loss(model(X), classes).backward()
    expected = gradients(model)
    loader = DataLoader(TensorDataset(X, classes), batch_size=10)

    def known(batch):
        return (batch[1] >= 0).sum()

    closure = full_batch_closure(model, loss, loader, weight=known)
    closure()
    close(gradients(model), expected)
    assert closure.samples == ROWS - 9
    full_batch_closure(model, loss, loader)()
    assert not torch.allclose(gradients(model)[0], expected[0], rtol=1e-3)


def test_frozen_and_unused_parameters_have_no_gradient():
    model = network()
    model.spare = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    model[0].bias.requires_grad_(False)

    def loss(model, batch):
        return mse_loss(model[2](torch.tanh(model[0](batch[0]))), batch[1])

    full_batch_closure(model, loss, pairs(), whole_batch=True)()
    assert model.spare.grad is None
    assert model[0].bias.grad is None
    assert model[2].bias.grad is not None
    full_batch_closure(model, loss, pairs(), whole_batch=True, weight_decay=0.5)()
    assert model.spare.grad.tolist() == [0.5, 0.5]
    assert model[0].bias.grad is None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_single(dtype):
    """With 400 equal batches the gradient is that of one, which a sum in bfloat16 is far from."""
    model = network(dtype)
    X, y = (part[:4] for part in data(dtype))
    closure = full_batch_closure(model, mse_loss, [(X, y)])
    one, gradient = closure(), gradients(model)
    many = full_batch_closure(model, mse_loss, [(X, y)] * 400)()
    close(many, one, rtol=1e-6)
    close(gradients(model), gradient, rtol=0.0)
    assert one.dtype == torch.float32
    assert model[0].weight.grad.dtype == dtype

    summed = torch.zeros_like(gradient[0])
    for _ in range(400):
        summed += gradient[0]
    assert not torch.allclose(summed / 400, gradient[0], rtol=1e-2)


def test_a_wider_sum_is_asked_for():
    model = network(torch.float32)
    loader = pairs(dtype=torch.float32)
    assert full_batch_closure(model, mse_loss, loader)().dtype == torch.float32
    assert full_batch_closure(model, mse_loss, loader, dtype=torch.float64)().dtype == torch.float64
    assert model[0].weight.grad.dtype == torch.float32


def test_sparse_gradients_are_summed():
    torch.manual_seed(0)
    table = torch.nn.Embedding(10, 2, sparse=True, dtype=torch.float64)
    words = torch.arange(20) % 7

    def loss(model, batch):
        return (model(batch) ** 2).mean()

    full_batch_closure(table, loss, words.split(6), whole_batch=True)()
    found = table.weight.grad
    rows = torch.bincount(words, minlength=10)[:, None]
    close(found, 2 * table.weight.detach() * rows / 40)


# ---------------------------------------------------------------------------------------- batches


class Rows(IterableDataset):
    """A stream without a length."""

    def __iter__(self):
        yield from zip(*data(), strict=True)


def test_streams():
    model = network()
    value, gradient = at_once(model, mse_loss)
    close(full_batch_closure(model, mse_loss, DataLoader(Rows(), batch_size=8))(), value)
    close(gradients(model), gradient)


def test_dicts_go_to_the_loss_whole():
    model = network()
    value, gradient = at_once(model, mse_loss)
    X, y = data()
    dataset = [{"inputs": a, "target": b, "name": "row"} for a, b in zip(X, y, strict=True)]

    def loss(model, batch):
        return mse_loss(model(batch["inputs"]), batch["target"])

    closure = full_batch_closure(model, loss, DataLoader(dataset, batch_size=8), whole_batch=True)
    close(closure(), value)
    close(gradients(model), gradient)


def test_batches_are_moved():
    Pair = namedtuple("Pair", "x y")
    batch = {"a": Pair(torch.ones(2), [torch.zeros(1), "text"]), "b": (3, torch.ones(()))}
    there = moved(batch, torch.device("meta"))
    assert there["a"].x.device.type == there["a"].y[0].device.type == "meta"
    assert there["b"][1].device.type == "meta"
    assert (there["a"].y[1], there["b"][0], type(there["a"])) == ("text", 3, Pair)


def test_one_graph_at_a_time():
    model, alive, most = network(), weakref.WeakSet(), []

    def loss(output, target):
        gc.collect()
        alive.add(output)
        most.append(len(alive))
        return mse_loss(output, target)

    full_batch_closure(model, loss, pairs())()
    assert len(most) == 7
    assert max(most) <= 1


@pytest.mark.parametrize("optimizer", [torch.optim.LBFGS, secant.torch.LBFGS])
def test_trains(optimizer):
    model = network()
    closure = full_batch_closure(model, mse_loss, pairs())
    before = closure()
    opt = optimizer(model.parameters(), max_iter=40, line_search_fn="strong_wolfe")
    opt.step(closure)
    assert closure() < 1e-2 * before


# ---------------------------------------------------------------------------------------- refusals


def sampled(sampler):
    return DataLoader(TensorDataset(*data()), batch_size=8, sampler=sampler(range(ROWS)))


@pytest.mark.parametrize(
    ("loader", "words"),
    [
        (pairs(drop_last=True), "drop_last=True"),
        (DataLoader(Rows(), batch_size=8, drop_last=True), "drop_last=True"),
        (sampled(lambda d: RandomSampler(d, replacement=True)), "with replacement"),
        (sampled(lambda d: RandomSampler(d, num_samples=20)), "20 among 53"),
        (sampled(lambda d: WeightedRandomSampler([1.0] * ROWS, ROWS)), "WeightedRandomSampler"),
        (sampled(lambda d: DistributedSampler(d, 2, 0)), "DistributedSampler"),
        ((batch for batch in pairs()), "got a generator"),
        (3, "iterable, got a int"),
    ],
)
def test_loaders_that_are_not_all_the_data(loader, words):
    with pytest.raises(ValueError, match=words):
        full_batch_closure(network(), mse_loss, loader)


def test_loaders_that_drop_nothing_are_taken():
    X, y = data()
    whole = DataLoader(TensorDataset(X[:48], y[:48]), batch_size=8, drop_last=True)
    closure = full_batch_closure(network(), mse_loss, whole)
    closure()
    assert closure.samples == 48
    closure = full_batch_closure(network(), mse_loss, sampled(lambda d: SubsetRandomSampler(d[:9])))
    closure()
    assert closure.samples == 9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"reduction": "none"}, "reduction"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"weight": 3}, "weight"),
        ({"dtype": torch.bfloat16}, "dtype"),
        ({"loss": None}, "loss"),
        ({"model": 3}, "model"),
        ({"model": network().requires_grad_(False)}, "requires a gradient"),
    ],
)
def test_arguments_that_make_no_sense(arguments, words):
    given = {"model": network(), "loss": mse_loss, "loader": pairs()} | arguments
    with pytest.raises(ValueError, match=words):
        full_batch_closure(**given)


@pytest.mark.parametrize(
    ("loss", "loader", "words"),
    [
        (mse_loss, [], "at least one sample"),
        (mse_loss, [(*data(), 1)], r"pair \(inputs, target\), got a tuple of 3"),
        (mse_loss, [{"x": torch.ones(2, 3)}], "whole_batch"),
        (mse_loss, [("a", "b")], "give weight"),
        (lambda output, target: output, pairs(), r"one element .* got a tensor of shape \(8, 1\)"),
        (lambda output, target: output.detach().sum(), pairs(), "without a graph"),
        (lambda output, target: 3.0, pairs(), "got a float"),
    ],
)
def test_batches_and_losses_that_make_no_sense(loss, loader, words):
    with pytest.raises(ValueError, match=words):
        full_batch_closure(network(), loss, loader)()


def test_a_loader_that_changes_is_noticed():
    loader = [*pairs()]
    closure = full_batch_closure(network(), mse_loss, loader)
    closure()
    loader.pop()
    with pytest.raises(ValueError, match="got 53 before and 48 now"):
        closure()


def test_a_loss_that_raises_leaves_no_gradient_of_a_part():
    model, calls = network(), []

    def loss(output, target):
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("no more")
        return mse_loss(output, target)

    with pytest.raises(RuntimeError, match="no more"):
        full_batch_closure(model, loss, pairs())()
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("layer", "words"),
    [(torch.nn.Dropout(0.5), "dropout"), (torch.nn.BatchNorm1d(3), "batch normalisation")],
)
def test_layers_that_depend_on_the_batch_are_pointed_at(layer, words, recwarn):
    model = torch.nn.Sequential(layer, torch.nn.Linear(3, 1))
    with pytest.warns(UserWarning, match=words):
        full_batch_closure(model, mse_loss, pairs())
    recwarn.clear()
    full_batch_closure(model.eval(), mse_loss, pairs())
    assert not recwarn.list

"""Functions of tensors by autograd."""

import pytest
import torch

import secant
import secant.torch


def bowl(x):
    return ((x - 1.0) ** 2).sum()


@pytest.mark.parametrize(
    ("fun", "sentence"),
    [
        (lambda x: 1.0, "fun must return a tensor for autograd to differentiate, got float"),
        (lambda x: bowl(x.detach()), "got one without a graph to x; give jac"),
        (lambda x: OTHER.sum(), "got one without a graph to x; give jac"),
        (lambda x: x, r"fun must return one real number, got Tensor of shape torch.Size\(\[2\]\)"),
        (lambda x: torch.complex(x, x).sum(), "fun must return one real number"),
    ],
)
def test_a_function_that_autograd_cannot_differentiate(fun, sentence):
    with pytest.raises(ValueError, match=sentence):
        secant.minimize(fun, torch.ones(2))


OTHER = torch.nn.Parameter(torch.ones(2))


def test_a_value_of_one_element_and_of_another_precision():
    assert secant.minimize(lambda x: bowl(x).reshape(1, 1), torch.zeros(2)).success
    result = secant.minimize(lambda x: bowl(x.double()), torch.zeros(2))
    assert result.success
    assert result.x.dtype == torch.float32


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad])
def test_the_users_grad_mode_does_not_matter(mode):
    """Neither for tensors nor for modules."""
    p = torch.nn.Parameter(torch.zeros(2))
    with mode():
        assert secant.minimize(bowl, torch.zeros(2)).success
        assert secant.minimize(lambda: bowl(p), [p]).success
    assert p.tolist() == pytest.approx([1.0, 1.0])


def test_a_mode_in_which_autograd_keeps_no_graph_is_named():
    p = torch.nn.Parameter(torch.zeros(2))
    with torch.inference_mode():
        for fun, x0 in ((bowl, torch.zeros(2)), (lambda: bowl(p), [p])):
            for front in (secant.minimize, secant.least_squares, secant.spectrum):
                with pytest.raises(ValueError, match=r"torch\.inference_mode\(\) must be left"):
                    front(fun, x0)
    assert secant.minimize(lambda: bowl(p), [p]).success


def test_parameters_made_in_that_mode_are_refused():
    """Nothing may be written to them, and autograd keeps no graph of theirs."""
    with torch.inference_mode():
        model = torch.nn.Linear(2, 1)
    sentence = r"parameters made outside of torch\.inference_mode\(\)"
    for front in (secant.minimize, secant.spectrum, secant.least_squares):
        with pytest.raises(ValueError, match=sentence):
            front(lambda: (model(torch.ones(1, 2)) ** 2).sum(), model)
    opt = secant.torch.LBFGS(model.parameters())
    with pytest.raises(ValueError, match=sentence):
        opt.step(lambda: (model(torch.ones(1, 2)) ** 2).sum())


def test_products_by_double_backward():
    """Linear CG takes them where no hessp is given: n steps, and no difference of gradients."""
    A = torch.diag(torch.tensor([1.0, 4.0, 9.0], dtype=torch.float64))
    x0 = torch.ones(3, dtype=torch.float64)
    result = secant.minimize(lambda x: 0.5 * x @ A @ x, x0, method="linear-cg", gtol=1e-10)
    assert result.success
    assert (result.nit, result.nfev, result.nhev) == (3, 4, 3)


def test_products_of_a_function_without_curvature():
    result = secant.minimize(lambda x: -x.sum(), torch.ones(2), method="linear-cg")
    assert result.status is secant.Status.UNBOUNDED


def test_jac_and_autograd_agree():
    x0 = torch.tensor([-1.2, 1.0], dtype=torch.float64)

    def fun(x):
        return 100.0 * (x[1] - x[0] ** 2) ** 2 + (1.0 - x[0]) ** 2

    def jac(x):
        a = x[1] - x[0] ** 2
        return torch.stack([-400.0 * a * x[0] - 2.0 * (1.0 - x[0]), 200.0 * a])

    auto, own = secant.minimize(fun, x0), secant.minimize(fun, x0, jac=jac)
    torch.testing.assert_close(auto.x, own.x)
    assert auto.success
    assert own.success


def test_bfloat16_in_the_default_method():
    assert secant.minimize(bowl, torch.zeros(2, dtype=torch.bfloat16)).success

"""The bispectrum as a PyTorch operation: first derivatives, and second ones by the cotangent."""

import numpy as np
import pytest
import torch

from diverse.kernel import BispectrumSettings, Kernel
from diverse.kernel.autograd import bispectrum
from kernel_cases import ROUNDING, triclinic

Inputs = tuple[torch.Tensor, torch.Tensor, Kernel]


@pytest.fixture
def inputs() -> Inputs:
    pairs = triclinic(2).pairs(3.6)  # few pairs: gradcheck takes one difference for each number
    vectors = torch.tensor(pairs.vector, requires_grad=True)
    return vectors, torch.tensor(pairs.first), Kernel(BispectrumSettings(3, 3.6))


def force_loss(inputs: Inputs, weights: torch.Tensor) -> torch.Tensor:
    """Return a loss on the gradient of a small network's energy, as in training on forces."""
    vectors, first, kernel = inputs
    energy = torch.tanh(bispectrum(vectors, first, kernel) @ weights).sum()
    (gradient,) = torch.autograd.grad(energy, vectors, create_graph=True)
    return (gradient**2).sum()


def test_backward_is_the_vjp(inputs: Inputs) -> None:
    vectors, first, kernel = inputs
    assert torch.autograd.gradcheck(lambda v: bispectrum(v, first, kernel), vectors)


def test_double_backward_by_the_cotangent_is_the_jvp(inputs: Inputs) -> None:
    vectors, first, kernel = inputs
    shape = (len(first) - 1, kernel.settings.n_components)
    cotangent = torch.randn(shape, dtype=torch.float64, requires_grad=True)

    def gradient(cotangent: torch.Tensor) -> torch.Tensor:
        components = bispectrum(vectors, first, kernel)
        return torch.autograd.grad(components, vectors, cotangent, create_graph=True)[0]

    assert torch.autograd.gradcheck(gradient, cotangent)
    tangent = torch.randn_like(vectors)
    (change,) = torch.autograd.grad(gradient(cotangent), cotangent, tangent)
    expected = kernel.jvp(vectors.detach().numpy(), first.numpy(), tangent.numpy())
    np.testing.assert_allclose(change.numpy(), expected, atol=ROUNDING * abs(expected).max())


def test_parameter_gradient_of_a_force_loss(inputs: Inputs) -> None:
    generator = torch.Generator().manual_seed(0)
    n_components = inputs[2].settings.n_components
    weights = torch.randn(n_components, generator=generator, dtype=torch.float64) * 0.1
    weights.requires_grad_()
    assert torch.autograd.gradcheck(lambda w: force_loss(inputs, w), weights)


def test_second_derivative_by_vectors_is_an_error_when_wanted(inputs: Inputs) -> None:
    weights = torch.full((inputs[2].settings.n_components,), 0.1, dtype=torch.float64)
    weights.requires_grad_()
    force_loss(inputs, weights).backward(inputs=[weights])
    assert weights.grad is not None and torch.isfinite(weights.grad).all()
    with pytest.raises(RuntimeError, match="not implemented: ask for the gradients of the param"):
        force_loss(inputs, weights).backward()


def test_wrong_dtype_gives_a_sentence(inputs: Inputs) -> None:
    vectors, first, kernel = inputs
    with pytest.raises(TypeError, match="float32, but the kernel computes in torch.float64"):
        bispectrum(vectors.float(), first, kernel)


def test_float32_kernel_gives_float32_gradients(inputs: Inputs) -> None:
    vectors, first, _ = inputs
    kernel = Kernel(BispectrumSettings(3, 3.6), dtype="float32")
    single = vectors.detach().float().requires_grad_()
    bispectrum(single, first.int(), kernel).sum().backward()
    assert single.grad is not None and single.grad.dtype == torch.float32
    assert single.grad.abs().max() > 0

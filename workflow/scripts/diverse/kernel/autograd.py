"""The bispectrum as a differentiable PyTorch operation (on the CPU)."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from diverse.kernel.kernel import Kernel

NO_SECOND_DERIVATIVE = (
    "The second derivative of the bispectrum with respect to the vectors is not implemented: "
    "ask for the gradients of the parameters alone, torch.autograd.grad(loss, parameters) or "
    "loss.backward(inputs=parameters)."
)


def bispectrum(vectors: torch.Tensor, first: torch.Tensor, kernel: Kernel) -> torch.Tensor:
    """Return B of every atom, differentiable by the vectors.

    Differentiate it once more with respect to what the gradient is contracted with (the
    cotangent), and so with respect to the parameters of a network trained on forces.

    Parameters
    ----------
    vectors : Tensor, shape (n_pairs, 3), Å
        From each atom to its neighbours, sorted by atom; of the dtype of the kernel.
    first : Tensor of int64, shape (n_atoms + 1,)
        The pairs of atom i are first[i] to first[i + 1] - 1.
    kernel : Kernel

    Returns
    -------
    Tensor, shape (n_atoms, D)

    Raises
    ------
    TypeError
        When the dtype of the vectors is not that of the kernel.
    RuntimeError
        In the backward pass, when a second derivative by the vectors is asked for.
    """
    expected = getattr(torch, kernel.dtype)
    if vectors.dtype != expected:
        raise TypeError(f"vectors is {vectors.dtype}, but the kernel computes in {expected}.")
    return _apply(_Bispectrum, vectors, first, kernel)


def _apply(function: Any, *arguments: Any) -> torch.Tensor:
    """Call `function.apply`, which PyTorch leaves without types."""
    result: torch.Tensor = function.apply(*arguments)
    return result


class _Bispectrum(torch.autograd.Function):
    """B; its backward pass is the VJP."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor, first: torch.Tensor, kernel: Kernel) -> Any:
        components, pull_back = kernel.forward_vjp(vectors.detach().numpy(), first.numpy())
        ctx.save_for_backward(vectors, first)
        ctx.kernel, ctx.pull_back = kernel, pull_back
        return torch.from_numpy(components)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        vectors, first = ctx.saved_tensors
        guarded = _apply(_NoSecondDerivative, vectors)
        gradient = _apply(_PullBack, guarded, first, cotangents[0], ctx.kernel, ctx.pull_back)
        return gradient, None, None


class _PullBack(torch.autograd.Function):
    """The VJP, linear in the cotangent; its backward pass by the cotangent is the JVP."""

    @staticmethod
    def forward(
        ctx: Any,
        vectors: torch.Tensor,
        first: torch.Tensor,
        cotangent: torch.Tensor,
        kernel: Kernel,
        pull_back: Any,
    ) -> Any:
        ctx.save_for_backward(vectors, first)
        ctx.kernel = kernel
        return torch.from_numpy(pull_back(cotangent.detach().numpy()))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *tangents: torch.Tensor) -> Any:
        vectors, first = ctx.saved_tensors
        change = ctx.kernel.jvp(vectors.detach().numpy(), first.numpy(), tangents[0].numpy())
        return None, None, torch.from_numpy(change), None, None


class _NoSecondDerivative(torch.autograd.Function):
    """The identity; its backward pass, run only if its result is wanted, is an error."""

    @staticmethod
    def forward(ctx: Any, vectors: torch.Tensor) -> Any:
        return vectors.view_as(vectors)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise RuntimeError(NO_SECOND_DERIVATIVE)

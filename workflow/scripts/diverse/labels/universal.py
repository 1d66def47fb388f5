"""Universal potentials as calculators; they need the extra environment ``universal``.

Weights come with the packages and nothing is downloaded. Reading them takes seconds, so that a
process makes each calculator once; they keep nothing of one cell that changes the next.
They run on the CPU in the precision of their weights (float32), so that numbers can be repeated.
"""

from __future__ import annotations

from functools import cache
from typing import Any


@cache
def sevennet(model: str = "7net-0") -> Any:
    """Return the calculator of a SevenNet potential, by its name in the package.

    Weights of ``7net-0`` and ``7net-l3i5`` come with it; others would be downloaded.

    Y. Park, J. Kim, S. Hwang, S. Han, J. Chem. Theory Comput. 20, 4857 (2024).
    """
    from sevenn.calculator import SevenNetCalculator

    return SevenNetCalculator(model=model, device="cpu")


@cache
def chgnet(version: str = "0.3.0") -> Any:
    """Return the calculator of a CHGNet potential, by the version of its weights (``0.3.0``).

    B. Deng et al., Nature Machine Intelligence 5, 1031 (2023).
    """
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

    model = CHGNet.load(model_name=version, use_device="cpu", verbose=False)
    return CHGNetCalculator(model=model, use_device="cpu")

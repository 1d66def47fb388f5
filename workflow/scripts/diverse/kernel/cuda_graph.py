"""Work on a card that is queued once and then replayed: CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch

from diverse.kernel.device import Device

WARM_UPS = 3  # calls before the recording: libraries set themselves up, memory is found


def recorded(work: Callable[[], None], device: Device) -> Callable[[], None]:
    """Return a function that does what `work` does, queued as a whole; here it has been done.

    `work` must find its arguments in tensors that stay where they are, make no tensor whose shape
    depends on numbers on the card, and ask for none of these numbers. In the emulation it is
    returned as it is, and has not been done.
    """
    if device.hardware is None:
        return work
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay

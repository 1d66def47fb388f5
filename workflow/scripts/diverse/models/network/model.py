"""Feed-forward tanh networks: one atom's standardised descriptors in, its energy out.

Stored as the files that LAMMPS runs, ``pair_style mliap model nn ... descriptor sna ...``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diverse.kernel import BispectrumSettings
from diverse.lammps_library import UNITS_TAG
from diverse.models.bispectrum import FIXED, BispectrumModel, check_settings, read_settings

NUMBERS_PER_LINE = 20  # LAMMPS reads at most 30
WIDTH_STEP = 32
DESCRIPTOR = {**FIXED, "bzeroflag": 1, "radelems": 0.5, "welems": 1.0}  # that are read


def layer_widths(shape: str, n_descriptors: int) -> list[int]:
    """Return the hidden layers of a network type, a function of the number of descriptors D.

    With w the smallest multiple of 32 that is not below D, type A (step-down) has w, w/2, w/4
    neurons and type B (expand-and-contract) w, 2w, w. The types are those of Montes de Oca
    Zapiain et al., npj Comput. Mater. 8, 189 (2022), the widths are ours: theirs are not published.
    """
    width = WIDTH_STEP * -(-n_descriptors // WIDTH_STEP)
    return {"A": [width, width // 2, width // 4], "B": [width, 2 * width, width]}[shape]


@dataclass(frozen=True)
class NetworkModel(BispectrumModel):
    """Tanh network from an atom's descriptors B to its energy e = W_n h_(n-1) + b_n.

    The hidden layers are h_k = tanh(W_k h_(k-1) + b_k), with h_0 = (B - mean) / scale.

    Attributes
    ----------
    twojmax : int
    mean, scale : ndarray, shape (D,)
        Standardisation of the descriptors.
    weights : list of ndarray, shape (n_out, n_in)
    biases : list of ndarray, shape (n_out,)
    """

    twojmax: int
    mean: np.ndarray
    scale: np.ndarray
    weights: list[np.ndarray]
    biases: list[np.ndarray]

    family = "network"
    files = ("potential.nn", "potential.descriptor")

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases; the standardisation is not counted."""
        return sum(array.size for array in (*self.weights, *self.biases))

    def site_energies(self, descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return energies (eV, shape (n,)) and their gradients by descriptor, shape (n, D)."""
        hidden = [(descriptors - self.mean) / self.scale]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden.append(np.tanh(hidden[-1] @ weight.T + bias))
        energies = (hidden[-1] @ self.weights[-1].T + self.biases[-1])[:, 0]
        slope = np.broadcast_to(self.weights[-1], hidden[-1].shape)
        for weight, output in zip(self.weights[-2::-1], hidden[:0:-1], strict=True):
            slope = (slope * (1 - output**2)) @ weight
        return energies, slope / self.scale

    def write(self, folder: Path, element: str, cutoff: float) -> None:
        """Write ``potential.nn`` and ``potential.descriptor`` for LAMMPS' ML-IAP package."""
        folder.mkdir(parents=True, exist_ok=True)
        layers = [f"tanh {len(bias)}" for bias in self.biases[:-1]] + ["linear 1"]
        lines = [
            f"# tanh network on bispectrum components, for pair_style mliap model nn {UNITS_TAG}",
            f"1 {self.n_parameters}",
            f"NET {len(self.mean)} {len(layers)} {' '.join(layers)}",
            *_block(self.mean),
            *_block(self.scale),
        ]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            nodes = np.column_stack([bias, weight])  # of each node the bias, then the weights
            for node in nodes:
                lines += _block(node)
        (folder / "potential.nn").write_text("\n".join(lines) + "\n")
        mapping = BispectrumSettings(self.twojmax, cutoff).lammps_mapping
        (folder / "potential.descriptor").write_text(
            f"rcutfac {cutoff!r}\ntwojmax {self.twojmax}\n"
            f"nelems 1\nelems {element}\nradelems 0.5\nwelems 1.0\n"
            f"{mapping}switchflag 1\nbzeroflag 1\n"
        )

    @classmethod
    def read(cls, folder: Path) -> NetworkModel:
        """Read ``potential.nn`` and ``potential.descriptor`` from a folder.

        Raises
        ------
        ValueError
            If the layers are not tanh ones and a linear one at the end, or a setting is one that
            `check_settings` refuses.
        """
        _, network, *rows = [
            line.split()
            for line in (folder / "potential.nn").read_text().splitlines()
            if not line.startswith("#")
        ]
        numbers = iter(float(word) for row in rows for word in row)
        n_in, sizes = int(network[1]), [int(size) for size in network[4::2]]
        if network[3::2] != ["tanh"] * (len(sizes) - 1) + ["linear"]:
            raise ValueError(
                f"{folder / 'potential.nn'} has layers {', '.join(network[3::2])}, and this reader "
                "takes tanh ones with a linear one at the end only: run the potential with LAMMPS"
            )

        def take(*shape: int) -> np.ndarray:
            count = int(np.prod(shape))
            return np.array([next(numbers) for _ in range(count)]).reshape(shape)

        mean, scale, weights, biases = take(n_in), take(n_in), [], []
        for size in sizes:
            nodes = take(size, 1 + n_in)
            biases.append(nodes[:, 0])
            weights.append(nodes[:, 1:])
            n_in = size
        settings = read_settings(folder / "potential.descriptor")
        check_settings(folder / "potential.descriptor", settings, DESCRIPTOR)
        return cls(int(settings["twojmax"]), mean, scale, weights, biases)

    def lammps_pair(self, folder: str) -> tuple[str, str]:
        """Return the pair style with its files; its ``pair_coeff`` line names none."""
        stem = f"{folder}/potential"
        return f"mliap model nn {stem}.nn descriptor sna {stem}.descriptor", ""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the parameters by name, as `from_arrays` takes them."""
        arrays = {"twojmax": np.array(self.twojmax), "mean": self.mean, "scale": self.scale}
        for number, layer in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays[f"weights{number}"], arrays[f"biases{number}"] = layer
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> NetworkModel:
        """Make the model of these parameters, named as in `arrays`."""
        layers = range(sum(name.startswith("weights") for name in arrays))
        weights, biases = ([arrays[f"{kind}{n}"] for n in layers] for kind in ("weights", "biases"))
        return cls(int(arrays["twojmax"]), arrays["mean"], arrays["scale"], weights, biases)


def _block(numbers: np.ndarray) -> list[str]:
    """Write numbers exactly; LAMMPS wants every block to end with its line."""
    words = [f"{number!r}" for number in numbers.tolist()]
    return [
        " ".join(words[start : start + NUMBERS_PER_LINE])
        for start in range(0, len(words), NUMBERS_PER_LINE)
    ]

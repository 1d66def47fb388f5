"""What the entropy and each of its settings buy, in diversity for each core-second; a program.

Random, cell and set at equal numbers of environments, by 2Jmax of the descriptor whose entropy is
raised, steps and precision. All sets are measured in one space: 2Jmax 6, whitened on random cells.
- log_det: of the regularised covariance; KL: first-neighbour entropy over D (nats);
- gain_s: what log_det gained over random for each core-second.
"""

import argparse
import copy
import itertools
import time

import numpy as np
from generate import study

from diverse.descriptors.environments import environment_descriptors
from diverse.descriptors.statistics import SetStatistics
from diverse.diversity import nearest_neighbour_entropy
from diverse.neighbours import shortest_distance
from diverse.study.chunks import fit_whitening, sampled_chunk
from diverse.study.settings import descriptor_settings

MEASURE = study(6, 40)
COLUMNS = "family 2Jmax steps precision K  log_det  KL  volume d_min core_s cells/drawn gain_s"


def row(family: str, options: dict, whitening, reference, n_cells: int, baseline: float) -> float:
    """Generate one set, print its row and return its log-det."""
    dataset = {"family": "random", "cells": n_cells, "chunks": 1}
    if family != "random":
        dataset |= {"family": "entropy", "estimator": family}
    start = time.process_time()
    sample = sampled_chunk(options, name="ablation", dataset=dataset, chunk=0, whitening=whitening)
    seconds = time.process_time() - start
    white = reference(environment_descriptors(sample.cells, descriptor_settings(MEASURE)))
    log_det = SetStatistics.of(white).log_det()
    kl = nearest_neighbour_entropy(white) / white.shape[1]
    volume = np.mean([cell.get_volume() / len(cell) for cell in sample.cells]) / (3.165**3 / 2)
    shortest = min(map(shortest_distance, sample.cells))
    chosen = options["optimiser"]
    print(
        f"{family:7s} {chosen['twojmax']} {chosen['steps']:3d} {chosen['precision']} "
        f"{chosen['entropy_weight']} {log_det:7.2f} {kl:6.3f} {volume:5.2f} {shortest:.3f} "
        f"{seconds:6.1f} {n_cells}/{sample.outcome.total()} {(log_det - baseline) / seconds:6.2f}",
        flush=True,
    )
    return log_det


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=int, default=3500)
    parser.add_argument("--atoms", type=int, nargs=2, default=[35, 35])
    parser.add_argument("--twojmax", type=int, nargs="+", default=[6, 8])
    parser.add_argument("--steps", type=int, nargs="+", default=[20, 40, 80])
    parser.add_argument("--weights", type=float, nargs="+", default=[0.1])
    parser.add_argument("--precision", nargs="+", default=["float64"])
    arguments = parser.parse_args()
    MEASURE["sampler"]["atoms"] = arguments.atoms
    reference = fit_whitening(MEASURE)
    n_cells = round(2 * arguments.environments / sum(arguments.atoms))
    print(COLUMNS)
    baseline = row("random", MEASURE, reference, reference, n_cells, np.nan)
    for twojmax in arguments.twojmax:
        options = copy.deepcopy(MEASURE)
        options["optimiser"]["twojmax"] = twojmax
        whitening = fit_whitening(options)
        settings = itertools.product(
            ("cell", "set"), arguments.steps, arguments.precision, arguments.weights
        )
        for family, steps, precision, weight in settings:
            options["optimiser"] |= {
                "steps": steps,
                "precision": precision,
                "entropy_weight": weight,
            }
            row(family, options, whitening, reference, n_cells, baseline)


if __name__ == "__main__":
    main()

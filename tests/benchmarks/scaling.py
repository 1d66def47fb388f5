"""Cost of every stage of a study against its size; run it as a program on finished studies.

    python tests/benchmarks/scaling.py FOLDER ... [--target results/release/benchmarks]

Folders are those of studies, such as results/paper-surrogate, which differ in size alone. Seconds,
seconds of processor time and the largest memory of a job are read from the benchmark files that
Snakemake wrote, disk from what lies in the folders. `scaling.csv` holds a row a study and stage;
exponents are slopes of least squares of log cost against log number of labelled cells, over all
studies. `scaling.png` shows the stages that cost most, a table in workflow/README.md those of the
largest study, another how fast its networks were trained.
"""

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from diverse.generate.summary import core_seconds
from diverse.report.marks import show_table
from diverse.report.plotting.style import style

FOLDERS = {  # that hold what a stage makes
    "generate_sampled": ["structures"],
    "label_chunk": ["ledger", "labels"],
    "split": ["datasets"],
    "sum_block": ["sums"],
    "draw_sums": ["errors"],
}
COSTS = {
    "seconds": "time of all jobs (s)",
    "core_seconds": "processor time (s)",
    "memory": "largest memory of a job (MB)",
    "disk": "disk (MB)",
}
SHOWN = 10  # stages in a panel: those that cost most in the largest study
WHOLE = "whole study"
LEAST = 0.005  # of the cost of the whole study, that a stage of the README's table has
README = Path(__file__).parents[2] / "workflow/README.md"
NAME, NETWORKS, PROGRAM = "scaling", "networks at size", "tests/benchmarks/scaling.py"


def read_stage(folder: Path) -> dict[str, float]:
    """Return jobs, seconds, processor time and largest memory (MB) of one rule."""
    files = [folder] if folder.is_file() else sorted(folder.rglob("*.tsv"))
    table = pd.concat(pd.read_csv(file, sep="\t", na_values=["-", "NA"]) for file in files)
    return {
        "jobs": len(table),
        "seconds": table["s"].sum(),
        "core_seconds": core_seconds(table).sum(),
        "memory": table["max_rss"].max(),
    }


def disk(results: Path, stage: str) -> float:
    """Return the MB of what a stage made; NaN where its folders are not told apart."""
    folders = [results / name for name in FOLDERS.get(stage, [])]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6 if folders else np.nan


def read_study(results: Path) -> pd.DataFrame:
    """Return a row for each stage of one study, and one for all of it."""
    draws = [pd.read_csv(file) for file in sorted(results.glob("datasets/*/draws.csv"))]
    rows = []
    for folder in sorted((results / "benchmarks").iterdir()):
        if folder.suffix in ("", ".tsv") and not folder.name.startswith("."):
            name = folder.stem
            rows.append({"stage": name, **read_stage(folder), "disk": disk(results, name)})
    table = pd.DataFrame(rows)
    sums = table[["jobs", "seconds", "core_seconds", "disk"]].sum()
    whole = {"stage": WHOLE, **sums, "memory": table["memory"].max()}
    table = pd.concat([table, pd.DataFrame([whole])], ignore_index=True)
    table.insert(0, "study", results.name)
    table.insert(1, "cells", sum(map(len, draws)))
    table.insert(2, "environments", sum(int(part["environments"].sum()) for part in draws))
    return table


def with_exponents(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the exponent of each cost of their stage; NaN from a single size."""
    table = table.sort_values(["stage", "cells"], kind="stable").reset_index(drop=True)
    for cost in COSTS:
        table[f"{cost}_exponent"] = np.nan
        for _, rows in table.groupby("stage"):
            known = rows[(rows[cost] > 0) & rows[cost].notna()]
            if len(set(known["cells"])) > 1:
                slope = np.polyfit(np.log(known["cells"]), np.log(known[cost]), 1)[0]
                table.loc[rows.index, f"{cost}_exponent"] = round(float(slope), 3)
    return table


def show_largest(readme: Path, table: pd.DataFrame) -> None:
    """Write the stages of the largest study between the two marks for them in a README."""
    largest = table[table["cells"] == table["cells"].max()]
    stages = largest[largest["core_seconds"] >= LEAST * largest["core_seconds"].max()]
    stages = stages.sort_values("core_seconds", ascending=False, kind="stable")
    shown = pd.DataFrame(
        {
            "stage": stages["stage"],
            "jobs": stages["jobs"],
            "core-hours": (stages["core_seconds"] / 3600).map("{:.2g}".format),
            "exponent": stages["core_seconds_exponent"].map("{:.2f}".format).replace("nan", ""),
            "memory of a job (MB)": stages["memory"].map("{:.0f}".format),
            "disk (MB)": stages["disk"].map(
                lambda value: "" if np.isnan(value) else f"{value:.0f}"
            ),
        }
    )
    size = f"{largest['cells'].iloc[0]:,} cells, {largest['environments'].iloc[0]:,} environments"
    text = f"`{largest['study'].iloc[0]}`, {size}:\n\n{shown.to_markdown(index=False)}"
    show_table(readme, NAME, PROGRAM, text + _growth(table))


def _growth(table: pd.DataFrame) -> str:
    """Return in a sentence between which sizes the exponents are, and the largest of all stages."""
    sizes = sorted(set(table["cells"]))
    if len(sizes) < 2:
        return ""
    *smaller, largest = (f"{number:,}" for number in sizes)
    stage = table.loc[table["core_seconds_exponent"].idxmax(), "stage"]
    time, space, memory = (
        f"{table[f'{cost}_exponent'].max():.2f}" for cost in ("core_seconds", "disk", "memory")
    )
    between = f"{', '.join(smaller)} and {largest} cells"
    text = (
        f"\n\nExponents are of processor time, between {between}; the largest of any stage is "
        f"{time} ({stage}), that of disk {space}, that of the memory of a job {memory}."
    )
    if len(sizes) > 2:
        last = with_exponents(table[table["cells"] >= sizes[-2]])
        stages = last[last["core_seconds"] >= LEAST * last["core_seconds"].max()]
        steepest = stages.loc[stages["core_seconds_exponent"].idxmax()]
        text += (
            f" Between the two largest sizes alone, the largest of a stage of the table is "
            f"{steepest['core_seconds_exponent']:.2f} ({steepest['stage']})."
        )
    return text


def read_networks(results: Path) -> pd.DataFrame:
    """Return environments a core-second, and memory (MB), of all trainings for a number of steps.

    An environment counts in every step that it was in, and a cell has the mean number of its set;
    reading and describing cells is in the time. Networks with ``epochs`` are left out.
    """
    models, rows = yaml.safe_load((results / "config.yaml").read_text())["models"], []
    for file in sorted((results / "benchmarks/train_network").glob("*/*/*.tsv")):
        dataset, name, _ = file.relative_to(results / "benchmarks/train_network").parts
        model, cost = models[name], read_stage(file)
        if not model.get("steps"):
            continue
        cells = pd.read_csv(results / "datasets" / dataset / "draws.csv")
        environments = model["steps"] * model["batch"] * cells["environments"].mean()
        rows.append(
            {
                "set": dataset,
                "2Jmax": model["twojmax"],
                "type": model["type"],
                "rate": environments / cost["core_seconds"],
                "memory": cost["memory"],
            }
        )
    return pd.DataFrame(rows)


def show_networks(readme: Path, networks: pd.DataFrame) -> None:
    """Write rates and memory of trainings between the two marks for them in a README."""
    rates = networks.pivot_table(index=["set", "2Jmax"], columns="type", values="rate")
    shown = rates.map("{:,.0f}".format).add_prefix("type ")
    peak = networks.groupby(["set", "2Jmax"])["memory"].max()
    shown["memory of a job (MB)"] = peak.map("{:.0f}".format)
    text = shown.reset_index().to_markdown(index=False, disable_numparse=True)
    show_table(readme, NETWORKS, PROGRAM, text)


def draw(table: pd.DataFrame) -> Figure:
    """Draw every cost of the stages that cost most against the number of cells."""
    style()
    figure, axes = plt.subplots(2, 2, figsize=(9.6, 6.4), sharex=True, layout="constrained")
    for axis, (cost, label) in zip(axes.flat, COSTS.items(), strict=True):
        known = table[table[cost] > 0]
        largest = known[known["cells"] == known["cells"].max()]
        stages = largest.nlargest(SHOWN, cost)["stage"]
        for number, stage in enumerate(stages):
            rows = known[known["stage"] == stage]
            name = f"{stage} ({rows[f'{cost}_exponent'].iloc[0]:.2f})"
            look = {"marker": "osD^v"[number % 5], "markersize": 3.5, "linewidth": 1}
            axis.plot(rows["cells"], rows[cost], label=name, **look)
        axis.set(xscale="log", yscale="log", ylabel=label)
        axis.legend(fontsize=6, loc="upper left", bbox_to_anchor=(1, 1))
    for axis in axes[1]:
        axis.set_xlabel("labelled cells of all sets")
    return figure


def main() -> None:
    """Read the studies that the command line names, write the table and the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--target", type=Path, default=Path("results/release/benchmarks"))
    arguments = parser.parse_args()
    table = with_exponents(pd.concat(map(read_study, arguments.folders)))
    arguments.target.mkdir(parents=True, exist_ok=True)
    table.to_csv(arguments.target / "scaling.csv", index=False, float_format="%.5g")
    draw(table).savefig(arguments.target / "scaling.png")
    show_largest(README, table)
    largest = table.loc[table["cells"].idxmax(), "study"]
    networks = read_networks(next(f for f in arguments.folders if f.name == largest))
    if len(networks):
        show_networks(README, networks)
    print(table[table["stage"] == WHOLE].to_string(index=False))


if __name__ == "__main__":
    main()

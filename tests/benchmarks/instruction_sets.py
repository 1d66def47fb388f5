"""The smoke study under each instruction set of this CPU, compared by kind of file; a program.

    PYTHONPATH=workflow/scripts:tests ./envs/run python tests/benchmarks/instruction_sets.py FOLDER

Each set is forced upon everything that chooses one by itself: the kernel, numpy and its BLAS,
torch, numba and the C library. Each runs in a folder of its own below FOLDER, the first with one
core, the others with two. The table goes to results/release/benchmarks/instruction_sets.csv and to
workflow/README.md.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from differences import compare
from diverse.kernel.library import available_isas
from diverse.report.marks import show_table
from diverse.report.release import write_manifest
from paths import PAGE, ROOT, clean_environment, snakemake_command

TABLE = ROOT / "results/release/benchmarks/instruction_sets.csv"
NAME = "instruction sets"
NO_AVX512 = "-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX512CD"
FORCED = {
    "avx512": {"DIVERSE_KERNEL_ISA": "avx512", "OPENBLAS_CORETYPE": "SkylakeX"},
    "avx2": {
        "DIVERSE_KERNEL_ISA": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "avx2",
        "NUMBA_CPU_NAME": "haswell",
        "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={NO_AVX512}",
    },
    "baseline": {
        "DIVERSE_KERNEL_ISA": "baseline",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "ATEN_CPU_CAPABILITY": "default",
        "NUMBA_CPU_NAME": "nehalem",
        "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={NO_AVX512},-AVX2,-AVX,-FMA,-FMA4",
    },
}
# Largest differences: rounding (1e-16 a sum) by the condition of each step, single precision in the
# training of networks. Descriptors of QUESTS take one or another of neighbours at equal distances.
LIMITS = {
    "structures": 0.0,
    "labels by a reference potential": 1e-13,
    "labels by DFT": 1e-9,
    "training and test sets": 1e-13,
    "whitening": 1e-10,
    "descriptors of environments": 1e-2,
    "measures of diversity": 1e-5,
    "coefficients": 1e-7,
    "networks": 1e-4,
    "scores of linear, quadratic and POD models": 1e-5,
    "scores of networks": 1e-3,
    "scores against labels by DFT": 1e-3,
}
NAMES = {"avx512": "AVX-512", "avx2": "AVX2", "baseline": "SSE2"}


def run(folder: Path, name: str, cores: int) -> Path:
    """Run the study under one instruction set, or go on with it; return its folder of results."""
    folder.mkdir(parents=True, exist_ok=True)
    command = snakemake_command(folder, "--configfile", str(ROOT / "config/smoke.yaml"))
    command[command.index("--cores") + 1] = str(cores)
    with (folder / "log").open("w") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log, env=forced(name))
    return folder / "results/smoke"


def forced(name: str) -> dict[str, str]:
    """Return the environment under which everything takes one instruction set."""
    return clean_environment() | FORCED[name]


def table_text(table: pd.DataFrame) -> str:
    """Return the table in Markdown, a column an instruction set."""
    table = table.assign(outcome=[_outcome(row) for row in table.itertuples()])
    shown = table.pivot(index=["kind", "files"], columns="set", values="outcome")
    order = table.drop_duplicates(["kind", "files"]).set_index(["kind", "files"]).index
    shown = shown.loc[order, list(dict.fromkeys(table["set"]))].reset_index()
    return shown.to_markdown(index=False)


def _outcome(row) -> str:
    if row.identical == row.files:
        return "identical"
    return f"{row.identical} identical, others within {row.difference:.0e}"


def main() -> None:
    """Run, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    names = [name for name in reversed(available_isas()) if name in FORCED]
    results = {
        name: run(arguments.folder.resolve() / name, name, arguments.cores if place else 1)
        for place, name in enumerate(names)
    }
    first, *others = names
    tables = [
        compare(results[first], results[name]).assign(set=f"{NAMES[name]} against {NAMES[first]}")
        for name in others
    ]
    table = pd.concat(tables)
    table.to_csv(TABLE, index=False)
    write_manifest(TABLE.parents[1])
    show_table(PAGE, NAME, "tests/benchmarks/instruction_sets.py", table_text(table))
    print(table_text(table))
    beyond = table[table["difference"] > table["kind"].map(LIMITS)]
    if len(beyond):
        raise SystemExit(f"beyond their limits:\n{beyond.to_string(index=False)}")


if __name__ == "__main__":
    main()

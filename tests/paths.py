"""Where things are, and how tests call Snakemake."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def snakemake(directory: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    """Run the workflow with `directory` as its working directory; stdout and stderr joined."""
    result = subprocess.run(
        snakemake_command(directory, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(),
    )
    if check and result.returncode:
        raise AssertionError(f"snakemake {' '.join(arguments)} failed:\n{result.stdout[-4000:]}")
    return result


def snakemake_command(directory: Path, *arguments: str) -> list[str]:
    """Return the command line that `snakemake` runs."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")),
        *("--directory", str(directory), "--cores", "2", *arguments),
    ]


def clean_environment() -> dict[str, str]:
    """Return the environment without what pytest set."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}

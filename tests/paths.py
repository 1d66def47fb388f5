"""Where things are, and how tests call Snakemake."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "workflow/README.md"
# Extra environments that happen to be made here: studies of tests are the same without them.
MADE = {name: os.environ.get(name) for name in ("DIVERSE_UNIVERSAL", "DIVERSE_ACE")}


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
    """Return the environment without what pytest set, and without extra environments made here."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    return {k: v for k, v in kept.items() if k not in MADE or v != MADE[k]}

"""Copy what the repository ships of this study to results/release/."""

from pathlib import Path

from diverse.release import release_study

release_study(Path(snakemake.input.config).parent, Path(snakemake.output.manifest).parent)

"""Copy what the repository ships of this study to results/release/, its verdicts to README.md."""

from pathlib import Path

import pandas as pd

from diverse.report.release import release_study, show_verdicts

target, readme = Path(snakemake.output.manifest).parent, Path("README.md")
release_study(Path(snakemake.input.config).parent, target)
verdicts = target / "tables/verdicts.csv"
if readme.exists() and verdicts.exists():  # a study may have one training set
    show_verdicts(readme, pd.read_csv(verdicts))

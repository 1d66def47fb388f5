"""Write the study with every default filled in."""

import yaml

from diverse.study.job import begin, finish

begin(snakemake)
with open(snakemake.output.config, "w") as file:
    yaml.safe_dump(dict(snakemake.params.study), file, sort_keys=False)
finish(snakemake)

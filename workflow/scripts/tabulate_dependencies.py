"""List the packages that a study runs with: version, licence, known advisories."""

import sys
from pathlib import Path

from diverse.study.dependencies import dependencies
from diverse.study.job import begin, finish

begin(snakemake)
table = dependencies(Path(snakemake.input.advisories).parent)
table.to_csv(snakemake.output.table, index=False)
affected = table[table["advisories"] != ""]
for row in affected.itertuples():
    print(f"{row.package} {row.version}: {row.advisories}", file=sys.stderr)
text = f"{len(affected)} of {len(table)} packages have an advisory in {snakemake.input.advisories}"
Path(snakemake.log[0]).write_text(f"{text}\n")
finish(snakemake)

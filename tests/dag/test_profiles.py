"""The Slurm profile: entries that exist, rules that run where Snakemake runs, jobs of Slurm."""

import re
import shutil

import pytest
import yaml

from diverse.study.reading import check_file
from paths import PAGE, ROOT, snakemake

PROFILES = ROOT / "workflow/profiles"
RULES = {path.stem: path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")}
SMALL = {"fit_polynomial", "train_network", "check_export", "score", "calibrate"}
READS_CELLS = re.compile(r"\.xyz|\.npz|all_chunks|TEST_CELLS|labelled_chunks|structure_chunks")
# Small arrays of any study, copies of potentials, and what is written into the clone.
QUICK = {"plot_environments", "plot_geometry", "collect_potentials", "release"}


def local_rules():
    """Names of the rules of seconds, without those that only a small study has among them."""
    blocks = re.findall(r"^localrules:\n((?:    \w+,\n)+)", "".join(RULES.values()), re.M)
    return set(re.findall(r"\w+", "".join(blocks)))


def inputs():
    """The inputs of every rule as text."""
    found = {}
    for text in RULES.values():
        for name, body in re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, re.M | re.S):
            block = re.search(r"^    input:\n(.*?)(?=^    \w+:)", body, re.M | re.S)
            found[name] = block[1] if block else ""
    return found


def jobs_of_slurm(directory, study):
    """Numbers of jobs by rule in a dry run through the profile, without those of no Slurm job."""
    arguments = ("--workflow-profile", str(PROFILES / "slurm"), "--dry-run")
    told = snakemake(directory, "--configfile", str(ROOT / f"config/{study}.yaml"), *arguments)
    table = told.stdout.split("Job stats:")[1].split("\n\n")[0]
    found = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", table, re.M)}
    local = local_rules() | {"all", "total"} | (SMALL if study != "paper" else set())
    return {name: number for name, number in found.items() if name not in local}


def test_rules_of_seconds_read_tables_and_no_cells():
    named, read = local_rules(), inputs()
    assert named <= set(read)
    assert {name for name in named - QUICK if READS_CELLS.search(read[name])} == set()
    assert {"import_literature", "release", "write_config"} <= named  # network, clone, first of all


@pytest.mark.parametrize(("study", "most"), [("config", 300), ("paper", 1200)])
def test_a_study_is_hundreds_of_slurm_jobs(tmp_path, study, most):
    found = jobs_of_slurm(tmp_path, study)
    datasets = yaml.safe_load((ROOT / f"config/{study}.yaml").read_text())["datasets"].values()
    chunks = [block.get("first_chunks", block.get("chunks", 1)) for block in datasets]
    assert found["label_chunk"] == sum(chunks) > 80
    assert sum(found.values()) < most, found


def test_every_entry_of_the_profile_is_an_option_and_is_explained():
    lines = (PROFILES / "slurm/config.yaml").read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if re.match(r"[a-z-]+:", line)]
    assert len(entries) == len(yaml.safe_load("\n".join(lines)))
    same = {"rerun-incomplete", "max-checksum-file-size", "max-jobs-per-timespan"}  # as in local
    for number in entries:
        name = lines[number].split(":")[0]
        assert lines[number - 1].startswith("#") or name in same, name


def test_the_local_profile_lets_the_terminal_name_stages(tmp_path):
    profile = ("--workflow-profile", str(PROFILES / "local"), "--configfile")
    goal = (str(ROOT / "config/smoke.yaml"), "--", "results/smoke/config.yaml")
    lines = snakemake(tmp_path, *profile, *goal).stdout.splitlines()
    told = [line[10:] for line in lines if re.match(r"[\d:]{8}  ", line)]
    assert told == ["generate: 1 job; 0 of 1 jobs (0 %) done"]
    rest = ("Using profile", "Building DAG", told[0], "Results: ", "Complete log", "Elapsed time")
    assert [begin for begin, line in zip(rest, lines, strict=True) if begin not in line] == []
    (log,) = tmp_path.glob(".snakemake/log/*.log")
    assert "Writing the study's configuration" in log.read_text()


def test_an_entry_that_is_no_option_is_refused(tmp_path):
    name = "slurm-no-such-option"
    shutil.copytree(PROFILES / "slurm", tmp_path / "site")
    with (tmp_path / "site/config.yaml").open("a") as file:
        file.write(f"\n{name}: 3\n")
    profile = ("--workflow-profile", str(tmp_path / "site"))
    told = snakemake(tmp_path, *profile, "--dry-run", check=False)
    assert told.returncode
    assert name in told.stdout


def with_site(profile):
    """Return a profile's text with all of site.yaml, each entry where that file says it goes."""
    for line in (PROFILES / "slurm/site.yaml").read_text().splitlines():
        if re.match(r"#  - ", line):
            name = "set-resources" if re.match(r"#  - \w+:", line) else "default-resources"
            profile = profile.replace(f"\n{name}:\n", f"\n{name}:\n{line[1:]}\n")
        elif option := re.match(r"#([a-z-]+): ", line):
            profile = re.sub(rf"^{option[1]}: .*\n", "", profile, flags=re.M) + f"{line[1:]}\n"
    return profile


def test_the_site_file_holds_options_and_the_partition_file_partitions(tmp_path):
    shutil.copytree(PROFILES / "slurm", tmp_path / "site")
    plain = (PROFILES / "slurm/config.yaml").read_text()
    (tmp_path / "site/config.yaml").write_text(with_site(plain))
    check_file(tmp_path / "site/config.yaml")  # no key stands twice
    site = yaml.safe_load(with_site(plain))
    assert len(site) == len(yaml.safe_load(plain)) + 3
    kept = {"slurm_account=my_account", "runtime=60 * attempt", "attempt=attempt"}
    assert kept <= set(site["default-resources"])
    profile = ("--workflow-profile", str(tmp_path / "site"))
    told = snakemake(tmp_path, *profile, "--dry-run", "whiten")
    assert "whiten" in told.stdout
    partitions = yaml.safe_load((PROFILES / "slurm/partitions.yaml").read_text())["partitions"]
    assert all({"max_runtime", "max_mem_mb", "max_threads"} <= set(p) for p in partitions.values())


def constants():
    """Return memory and time that each rule names as numbers, its own or of the rule it uses."""
    head = r"^(?:use rule (\w+) as|rule) (\w+)(?: with)?:\n(.*?)(?=^\S|\Z)"
    own, used = {}, {}
    for user, name, body in re.findall(head, "".join(RULES.values()), re.M | re.S):
        block = re.search(r"^    resources:\n((?: {8}.*\n)+)", body, re.M)
        own[name] = dict(re.findall(r"(mem_mb|runtime)=(\d+)", block[1] if block else ""))
        used[name] = user
    return {name: own.get(used[name], {}) | own[name] for name in own}


def test_every_attempt_of_a_rule_that_names_numbers_asks_for_more():
    entries = yaml.safe_load((PROFILES / "slurm/config.yaml").read_text())["set-resources"]
    asked = {tuple(re.split("[:=]", entry, maxsplit=2)[:2]): entry for entry in entries}
    jobs = {rule: own for rule, own in constants().items() if rule not in local_rules() - SMALL}
    assert "measure_ramps" in jobs and len(entries) == len(asked)
    for rule, own in jobs.items():
        for resource in own:
            assert asked[rule, resource].endswith(" * attempt"), (rule, resource)
    assert {rule for rule, _ in asked} <= set(jobs)


def test_nothing_that_is_advised_on_a_cluster_replaces_the_lists_of_the_profile():
    """An option on the command line replaces a list: `runtime` and `attempt` would be lost."""
    page = PAGE.read_text().split("\n## On a Slurm cluster\n")[1].split("\n## ")[0]
    site = (PROFILES / "slurm/site.yaml").read_text()
    lists = {
        name
        for name, value in yaml.safe_load((PROFILES / "slurm/config.yaml").read_text()).items()
        if isinstance(value, list) and name != "rerun-triggers"
    }
    assert lists == {"default-resources", "set-threads", "set-resources"}
    for name in lists:
        assert f"--{name}" not in page and not re.search(rf"^#?{name}:", site, re.M)

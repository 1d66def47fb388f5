"""Command blocks of the pages: found in the Markdown, saved, run or looked through."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snakemake.cli import get_argument_parser

from paths import ROOT, clean_environment

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
SAVED = re.compile(r"[Ss]ave this as `([^`]+)`")
INLINE = re.compile(r"`((?:\w+=\S+ )*\./envs/run [^`]+)`")
PLACEHOLDERS = re.compile(r"\.\.\.|/their/")
TREE = ("Snakefile", "README.md", "CITATION.cff", "pyproject.toml", "config", "envs", "workflow")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes
    ----------
    page : str
        Path from the root of the repository.
    line : int
        Where it begins.
    language : str
        Word behind the fence; empty for none.
    text : str
    saved : str
        Path that the paragraph above says to save it as; empty for none.
    """

    page: str
    line: int
    language: str
    text: str
    saved: str

    @property
    def last(self) -> str:
        """Return its last line that is no comment."""
        lines = [line for line in self.text.splitlines() if line and not line.startswith("#")]
        return lines[-1] if lines else ""


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text, found = (ROOT / page).read_text(), []
    for match in FENCE.finditer(text):
        above = text[: match.start()].rstrip().split("\n\n")[-1]
        saved = SAVED.search(" ".join(above.split()))
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, *match.groups(), saved[1] if saved else ""))
    return found


def inline_commands(page: str) -> list[str]:
    """Return the calls of ./envs/run that stand within the text of a page."""
    text = FENCE.sub("", (ROOT / page).read_text())
    found = (" ".join(command.split()) for command in INLINE.findall(text))
    return [command for command in found if not PLACEHOLDERS.search(command)]


def make_clone(folder: Path) -> Path:
    """Copy what a user clones, released results included, with this environment as its own."""
    for name in TREE:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(".*", "__pyc*"))
        else:
            shutil.copy2(source, folder / name)
    shutil.copytree(ROOT / "results/release", folder / "results/release")
    environment = folder / f"envs/.venv-{pins_hash(folder)}"
    environment.symlink_to(Path(sys.prefix).resolve())
    return folder


def pins_hash(clone: Path, python: str = "python3") -> str:
    """Return the hash that ./envs/run gives the environment of a clone."""
    lines = (clone / "envs/run").read_text().split("home=$here")[0].split("find_python)\n")[1]
    names = {"here": str(clone / "envs"), "python": python}
    command = ["bash", "-c", lines + "echo $pins"]
    told = subprocess.run(
        command, env={**clean_environment(), **names}, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


def run_block(block: Block, clone: Path) -> None:
    """Run a block of shell or Python in a clone; raise with what it said if it fails."""
    program = ["bash", "-euo", "pipefail"] if block.language == "bash" else [sys.executable]
    told = subprocess.run(
        [*program, "-c", block.text],
        cwd=clone,
        env={**clean_environment(), "PYTHONPATH": str(clone / "workflow/scripts")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if told.returncode:
        raise AssertionError(f"{block.page}:{block.line} fails:\n{told.stdout[-4000:]}")


def check_command(line: str, clone: Path) -> None:
    """Refuse a command whose program, options, targets or files are not there."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"\w+=\S*", words[0]):
        words = words[1:]
    if words[:1] == ["./envs/run"]:
        words = words[1:]
        if words[:1] == ["--with"]:
            assert words[1] in ("universal", "ace", "gpu"), line
            words = words[2:]
    program, *arguments = words or ["true"]
    if program == "snakemake":
        _check_snakemake(arguments, clone, line)
    elif program == "python" and arguments[:1] == ["-m"]:
        assert importlib.util.find_spec(arguments[1]), line
    elif program == "pytest":
        assert all((ROOT / name).exists() for name in arguments), line
    else:
        assert shutil.which(program), line


def _check_snakemake(arguments: list[str], clone: Path, line: str) -> None:
    """Parse the arguments as Snakemake does: targets are rules or files, study files are there."""
    try:
        known = get_argument_parser().parse_args(arguments)
    except SystemExit:
        raise AssertionError(f"Snakemake does not understand: {line}") from None
    files = [name for name in known.targets if "/" in str(name)]
    assert {*map(str, known.targets)} - {*map(str, files)} <= rule_names(), line
    for path in known.configfile or []:
        assert (clone / path).exists(), f"{path} is not there: {line}"
    if known.workflow_profile:
        assert (clone / known.workflow_profile / "config.yaml").exists(), line


def rule_names() -> set[str]:
    """Return the names of all rules."""
    texts = [path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk")]
    texts.append((ROOT / "Snakefile").read_text())
    return set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)", "\n".join(texts), re.M))


def command_lines(block: Block) -> Iterator[str]:
    """Yield the commands of a block of shell, continued lines as one."""
    text = block.text.replace("\\\n", " ")
    yield from (line for line in text.splitlines() if line and not line.startswith("#"))


def is_command(block: Block) -> bool:
    """Tell whether a block is to be run; what is saved and what is data is not."""
    return block.language != "yaml" and not block.saved

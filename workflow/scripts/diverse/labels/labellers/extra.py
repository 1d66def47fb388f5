"""Extra environments: packages that only some labellers and models need, beside the study's own.

``./envs/run --with universal`` makes one, and every later call names its folder in the variable
DIVERSE_UNIVERSAL; that of ACE is DIVERSE_ACE. The folder is searched behind the study's own
packages, which stay what they are.
"""

from __future__ import annotations

import os
import sys

from diverse.labels.labellers import LabellerError


def is_made(name: str) -> bool:
    """Return whether the packages of an extra environment are at hand."""
    return os.path.isdir(extra_folder(name))


def add_packages(name: str) -> None:
    """Let this process, and the workers that it starts, import an extra environment's packages.

    Raises
    ------
    LabellerError
        If it was not made.
    """
    if not is_made(name):
        raise LabellerError(
            f"the extra environment '{name}' is not made: run the same command with ./envs/run "
            f"--with {name}"
        )
    if extra_folder(name) not in sys.path:
        sys.path.append(extra_folder(name))


def extra_folder(name: str) -> str:
    """Return the folder of an extra environment's packages; empty where it is not made."""
    return os.environ.get(f"DIVERSE_{name.upper()}", "")

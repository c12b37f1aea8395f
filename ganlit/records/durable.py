"""Files that outlive a crash: written whole or not at all, checked before they are believed, never run as code."""

from __future__ import annotations

import errno
import os
import pickle
import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, NamedTuple

from safetensors import SafetensorError, safe_open

from ganlit.compute.sparing import Later
from ganlit.errors import Unwritten, UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

torch = Later("torch")
safetensors = Later("safetensors.torch")

LAST = "last.ckpt"
PREVIOUS = "previous.ckpt"

PARTIAL = ".partial"
FOLDER = 0x10  # attribute of a zip's record: torch would hand out memory that nobody has written to

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
DISK = (
    *(*FULL, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG),
)
"""Why a file cannot be written."""

# What zipfile and torch make of damaged bytes, by the field that was hit.
DAMAGE = (
    *(OSError, RuntimeError, ValueError, LookupError, ArithmeticError, EOFError, TypeError, AttributeError),
    *(zipfile.BadZipFile, zlib.error, pickle.UnpicklingError),
)


@contextmanager
def replacing(path: Path, flush: bool = True) -> Iterator[Path]:
    """A temporary name in the folder of `path`; what is written there takes its place when the block ends well.

    A kill at any instant leaves the old file or the new one; an exception leaves the old one and nothing else.

    Raises:
        Unwritten: the disk is full or refuses.

    Args:
        path: its folder is made where it is missing.
        flush: whether content and name are on the disk when the block ends. Without it only a power failure, not a
            kill, can lose the file: enough for what can be drawn again.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}{PARTIAL}")
    try:
        with writing(path, partial):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            if flush:
                _flush(partial)
            os.replace(partial, path)
        if flush:
            with suppress(OSError):  # some filesystems cannot flush a folder
                _flush(path.parent)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, *others: Path) -> Iterator[None]:
    """Says in a sentence why a file cannot be written.

    Args:
        path: what messages call it.
        others: further names that it has while it is written.

    Raises:
        Unwritten: the disk is full or refuses.
    """
    try:
        yield
    except OSError as error:
        ours = error.filename is None or Path(error.filename) in (*others, path, *path.parents)
        if (
            isinstance(error, UserError) or error.errno not in DISK or not ours
        ):  # what is written may come from a network
            raise
        unwritten = Unwritten(f"{path} cannot be written ({_why(path, error)}): mend that, or name another place.")
        unwritten.errno, unwritten.strerror = error.errno, error.strerror
        raise unwritten from error


def sweep(folder: Path) -> None:
    """Removes what killed processes left half written; for who knows that nobody else is writing into the folder."""
    for leftover in folder.glob(f".*{PARTIAL}"):
        leftover.unlink(missing_ok=True)


def keep(path: Path, name: str) -> None:
    """Gives a file a second name beside it, which keeps today's content when `path` is replaced.

    It takes neither time nor room where the filesystem has hard links, and is a copy elsewhere.
    """
    with replacing(path.with_name(name)) as partial:
        _link(path, partial)


def save(checkpoint: dict[str, Any], path: Path) -> None:
    """Writes a checkpoint; the `last.ckpt` that it replaces becomes `previous.ckpt`.

    The new one is on the disk before any name moves, and `last` moves before `previous`: whenever the process is
    killed, what was whole under these names is still whole, and a damaged `last` never pushes out a good `previous`
    before the new one stands.

    Raises:
        UserError: the disk is full or refuses; the files of the saves before are untouched.
    """
    try:
        if path.name == LAST and damage(path) is None:
            with replacing(path.with_name(PREVIOUS)) as before:
                _link(path, before)
                _write(checkpoint, path)
        else:
            _write(checkpoint, path)
    except (OSError, RuntimeError) as error:
        # Of a failed write torch's zip writer only says that it lost its position; the context says why.
        cause = error if isinstance(error, OSError) else error.__context__
        if not isinstance(cause, OSError):
            raise
        raise UserError(_unwritten(path, cause, _size(checkpoint))) from error


def load(path: Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """A checkpoint whose every byte that matters has passed its checksum, read without running anything in it.

    Raises:
        UserError: there is no such file, it is damaged, or it holds more than data.
    """
    return unpickled(whole(path), map_location)


def unpickled(path: Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """What torch.save has written, at any time, read without running anything in it; no checksums are looked at.

    Raises:
        UserError: it is damaged, or holds more than data.
    """
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except DAMAGE as error:
        if isinstance(error, pickle.UnpicklingError):
            raise UserError(
                f"{path} holds code that would run when it is loaded ({_code(path)}): ganlit runs none from a file; "
                "use a checkpoint that it has written itself."
            ) from None
        raise UserError(f"{path} is damaged or no checkpoint ({_line(error)}): go on from another one.") from None
    if not isinstance(checkpoint, dict):
        raise UserError(f"{path} is no checkpoint, it holds a {type(checkpoint).__name__}: name another one.")
    return checkpoint


def damage(path: Path) -> str | None:
    """What is wrong with a checkpoint's file, or None: torch writes zip files with a CRC-32 for each record."""
    if not path.is_file():
        return "does not exist"
    try:
        with zipfile.ZipFile(path) as archive:
            folders = (record.filename for record in archive.infolist() if record.external_attr & FOLDER)
            wrong = archive.testzip() or next(folders, None)
    except DAMAGE as error:
        return f"is damaged or no checkpoint ({_line(error)})"
    return f"is damaged ({wrong} in it fails its checksum)" if wrong else None


def whole(path: Path) -> Path:
    """The same path, of a checkpoint that is all there.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    if wrong := damage(path):
        raise UserError(f"{path} {wrong}: give the path of another checkpoint.")
    return path


class Newest(NamedTuple):
    """The checkpoint to go on from."""

    path: Path
    warning: str | None  # why it is not `last.ckpt`: one sentence to be told


def newest(folder: Path) -> Newest:
    """The last checkpoint in a folder, or the one before where the last is damaged.

    Raises:
        UserError: neither is whole.
    """
    last, previous = folder / LAST, folder / PREVIOUS
    wrong = damage(last)
    if wrong is None:
        return Newest(last, None)
    if also := damage(previous):
        raise UserError(f"{last} {wrong}, and {PREVIOUS} {also}: name another checkpoint, or train anew.")
    return Newest(previous, f"{last} {wrong}: {PREVIOUS}, of the save before it, is used instead.")


class Weights(NamedTuple):
    """An averaged generator without all that trained it."""

    state: dict[str, Tensor]  # of the generator alone
    config: str  # content of the run's config.yaml
    images_seen: int
    populated: list[int]  # the classes of which there were items; empty where nobody wrote them down


def write_weights(
    generator: nn.Module, config: str, images_seen: int, path: Path, populated: Sequence[int] = ()
) -> None:
    """Writes a generator's state as safetensors, with what rebuilds it in the metadata.

    Raises:
        UserError: the disk is full or refuses; an earlier file of that name is untouched.
    """
    # Each tensor becomes its own and contiguous: the format knows neither shared memory nor channels_last.
    state = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in generator.state_dict().items()
    }
    told = {"config": config, "images_seen": str(images_seen), "populated": " ".join(map(str, populated))}
    content = safetensors.save(state, {"ganlit": _version(), **told})
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise UserError(_unwritten(path, error, len(content))) from error


def read_weights(path: Path) -> Weights:
    """What `write_weights` has written.

    Raises:
        UserError: there is no such file, it is damaged, or another program has written it.
    """
    if not path.is_file():
        raise UserError(f"{path} does not exist: give the path of a .safetensors file that ganlit has written.")
    state, metadata = tensors(path)
    if not re.fullmatch(r"[0-9]{1,18}", metadata.get("images_seen", "")) or "config" not in metadata:
        raise UserError(f"{path} has no configuration inside: only what ganlit has written can be rebuilt.")
    populated = [int(label) for label in re.findall(r"\b[0-9]{1,9}\b", metadata.get("populated", ""))]
    return Weights(state, metadata["config"], int(metadata["images_seen"]), populated)


def tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """What a safetensors file holds, whoever has written it, and its metadata.

    Raises:
        UserError: it is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is damaged or no safetensors file ({_line(error)}): get it anew.") from None


def _write(checkpoint: dict[str, Any], path: Path) -> None:
    # Into an open file: given a path, torch's own writer loses the reason of a failure.
    with replacing(path) as partial, partial.open("wb") as file:
        torch.save(checkpoint, file)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _link(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a filesystem without hard links
        shutil.copyfile(path, name)


def _unwritten(path: Path, error: OSError, size: int) -> str:
    """Why a file could not be written, and what there still is."""
    reason = _why(path, error, f"it needs {size / 1e6:,.1f} MB and ")
    kept = [other for other in (path, path.with_name(LAST), path.with_name(PREVIOUS)) if damage(other) is None]
    intact = f"{kept[0]} of an earlier save is intact" if kept else "there is no earlier checkpoint"
    return f"{path} cannot be written ({reason}): {intact}; resume when that is mended."


def _why(path: Path, error: OSError, needed: str = "") -> str:
    """The reason, and how much room there is where that is the reason."""
    why = error.strerror or str(error)
    if error.errno in FULL:
        free = shutil.disk_usage(next(folder for folder in path.absolute().parents if folder.is_dir())).free
        why += f", {needed}{free / 1e6:,.1f} MB are free"
    return why


class _Count:
    """Takes the place of a file, to learn how long it would be."""

    size = 0

    def write(self, content: bytes | memoryview) -> int:
        self.size += len(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is kept back."""


def _size(checkpoint: dict[str, Any]) -> int:
    count = _Count()
    torch.save(checkpoint, count)
    return count.size


def _code(path: Path) -> str:
    """The names that a refused pickle asks for."""
    with suppress(*DAMAGE):
        return ", ".join(torch.serialization.get_unsafe_globals_in_checkpoint(path)) or "calls that are not allowed"
    return "an instruction that is not allowed"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _version() -> str:
    try:
        return version("ganlit")
    except PackageNotFoundError:  # run from a checkout
        return "unknown"

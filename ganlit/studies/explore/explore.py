"""A page of this machine on which one looks around in a latent space."""

from __future__ import annotations

import errno
import os
import socket
from importlib.util import find_spec

from ganlit.compute.console import say
from ganlit.errors import UserError, within
from ganlit.studies.evaluation.options import SEEDS
from ganlit.studies.evaluation.trained import Checkpoint
from ganlit.studies.explore.background import Background
from ganlit.studies.explore.guard import is_here
from ganlit.studies.explore.job import end_all
from ganlit.studies.explore.keeping import Keeper
from ganlit.studies.explore.studio import Studio
from ganlit.studies.latent.distance import PIXELS
from ganlit.studies.latent.subject import Subject

PORT = 8080  # where nothing else is said, or one of the next
TRIED = 20  # of these
PATIENCE = 30.0  # seconds that what goes on beside the page is given to end
AT_A_TIME = 8  # items that are made together: pictures wait for no more


def explore(
    run: str,
    port: int | None = None,
    host: str = "127.0.0.1",
    no_browser: bool = False,
    out: str | None = None,
    directions: str | None = None,
    extractor: str | None = None,
    steps: int = 200,
    distance: str = PIXELS,
    classes: str | None = None,
    seed: int = 0,
    checkpoint: Checkpoint = "last",
) -> None:
    """Look around in the latent space of a run, on a page of this machine: seeds, mixing, directions, a map, pictures.

    The page asks no other machine, runs no code from files, and saves into the folder of --out alone. Data and weights
    of extractors that are missing are fetched as `fit` does.

    Args:
        run: the run directory, such as runs/stylegan_lite, or the .safetensors file of an averaged generator
        port: of the page; by default 8080, or the next that is free
        host: who may see it: by default this machine alone; 0.0.0.0 is whoever reaches it, without a password
        no_browser: do not open it
        out: a folder to save into, which may hold anything: nothing in it is replaced; without it nothing is saved
        directions: the folder of `latent directions` whose sliders are shown; by default that in the run directory, or
            directions are found and scored anew, in the background
        extractor: of the features that these are scored by, such as efficientnet-lite0; by default that of the run's
            own measures
        steps: in which the latent of a dropped picture is looked for
        distance: to that picture: pixels, or an extractor by whose layers it is compared
        classes: that are offered, such as 3, or 0-9; all of them by default
        seed: of the latents
        checkpoint: of a run directory, the last, or the best of the validations

    Raises:
        UserError: the run makes no images from noise, the port is taken, or a folder cannot be used.
    """
    within("--seed", seed, least=0, below=SEEDS)
    within("--steps", steps, least=1, most=10**5)
    within("--port", port, least=1, below=2**16, optional=True)
    if find_spec("nicegui") is None:
        raise UserError('explore shows its page by NiceGUI, which is not installed: pip install "ganlit[explore]".')
    listening = listener(host, port)
    subject = Subject(run, checkpoint, classes=classes, together=AT_A_TIME)
    studio = Studio(subject, seed, steps, distance)
    keeper = Keeper(subject, out)
    background = Background(studio, directions, extractor)
    if not is_here(host):
        say(f"WARNING: whoever reaches {host} can see and use this page: no password guards it")
    from ganlit.studies.explore.server import serve  # which takes a second

    try:
        serve(studio, keeper, background, listening, browser=not no_browser)
    finally:
        listening.close()
        end_all(PATIENCE)


def listener(host: str, port: int | None) -> socket.socket:
    """A socket that listens.

    Args:
        port: None for the first from `PORT` on that is free.

    Raises:
        UserError: it is taken, or there is no such host.
    """
    for tried in range(PORT, PORT + TRIED) if port is None else [port]:
        try:
            family = socket.getaddrinfo(host, tried, type=socket.SOCK_STREAM)[0][0]
            return socket.create_server((host, tried), family=family)
        except (OSError, UnicodeError) as error:
            number = getattr(error, "errno", None)
            if isinstance(error, socket.gaierror | UnicodeError) or number == errno.EADDRNOTAVAIL:
                raise UserError(f"--host {host} is no address of this machine: leave it out, or say 0.0.0.0.") from None
            if number not in (errno.EADDRINUSE, errno.EACCES):
                raise UserError(
                    f"--port {tried} cannot be opened ({os.strerror(number or 0)}): name another."
                ) from None
            taken = "is taken" if number == errno.EADDRINUSE else "is not yours to open"
    which = f"--port {port} {taken}" if port is not None else f"No port from {PORT} to {PORT + TRIED - 1} is free"
    raise UserError(f"{which}: name another one by --port.")

"""What is found out while people already look: the map, the directions, the names of the classes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from ganlit.errors import UserError
from ganlit.studies.evaluation.outputs import beside
from ganlit.studies.explore.atlas import Atlas, drawn
from ganlit.studies.explore.guide import Guide, names_of, recorded, scored, unscored
from ganlit.studies.explore.job import Job
from ganlit.studies.explore.studio import Studio


class Background:
    """Begins at once.

    Args:
        directions: the folder where `latent directions` has written some; by default where it writes them.
        extractor: by which they are scored where there are none.

    Raises:
        UserError: there are none in a folder that was named.

    Attributes:
        atlas, guide, names: None and nothing, before they are there.
        job: that finds them.
    """

    def __init__(self, studio: Studio, directions: str | None = None, extractor: str | None = None) -> None:
        self.studio = studio
        self.extractor = extractor
        self.atlas: Atlas | None = None
        self.guide: Guide | None = None
        self.names: tuple[str, ...] = ()
        subject, usual = studio.subject, beside(studio.subject.run) / "latent-directions"
        if directions is not None:
            self._take(recorded(Path(directions), subject))
        elif usual.is_dir():
            with suppress(UserError):  # of weights that are trained no more, say
                self._take(recorded(usual, subject))
        self.job = Job[None]("Drawing the map", self._work)

    def _work(self, job: Job[None]) -> None:
        subject, known = self.studio.subject, self.guide is not None
        if not known:
            self._take(unscored(subject, self.studio.sample))
        self.atlas = drawn(subject, self.studio.seed, job)
        job.begin("Reading the data")
        if self.studio.controls.classes:
            self.names = names_of(subject)
        if not known:
            job.begin("Scoring directions")
            try:
                self._take(scored(subject, self.extractor, self.studio.seed, job))
            except UserError as error:
                self.guide = self.guide._replace(told=f"{self.guide.told} Not scored: {error}".strip())

    def _take(self, guide: Guide) -> None:
        self.studio.know(guide.directions)
        self.guide = guide

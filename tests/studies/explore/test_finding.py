"""The latent of a picture: found, given up, or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import torch
from PIL import Image

from ganlit.studies.explore.session import Session

Visit = Callable[..., Session]


def file_of(image: Image.Image) -> bytes:
    content = BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def test_an_own_item_is_found_again(visit: Visit) -> None:
    session = visit("flat", steps=200)
    session.change(seed=9, label=1)
    wanted = session.draw().stored
    session.look_for(file_of(Image.fromarray(wanted[0, 0].numpy())))
    session.looking.wait()
    told = session.arrive()
    assert told.startswith("Found in 200 steps, PSNR ")
    assert float(told.split()[-2]) > 35
    assert (session.state.found, session.state.label) == (0, 1)
    assert float((session.draw().stored.float() - wanted.float()).abs().max()) < 12
    session.history.undo()
    assert torch.equal(session.draw().stored, wanted)


def test_with_styles_each_layer_has_its_own(visit: Visit) -> None:
    session = visit("bare")
    session.look_for(file_of(Image.new("RGBA", (40, 25), "red")))
    session.looking.wait()
    assert session.arrive().startswith("Found")
    assert session.draw().latent.shape == (1, 6, 4)
    assert session.wanted.startswith("data:image/png")


def test_a_broken_picture_is_a_sentence_and_nothing_changes(visit: Visit) -> None:
    session = visit()
    before = session.state
    session.look_for(b"no picture")
    session.looking.wait()
    assert session.arrive() == "the picture is not an image: send one."
    assert (session.state, session.history.can_undo, session.looking) == (before, False, None)


def test_a_search_can_be_given_up(visit: Visit) -> None:
    session = visit(steps=10**5)
    session.look_for(file_of(Image.new("L", (16, 16))))
    session.give_up()
    session.looking.wait(20)
    assert session.arrive().endswith("cancelled.")
    assert session.state.found is None


def test_the_last_of_several_pictures_counts(visit: Visit) -> None:
    session, jobs = visit(steps=10**5), []
    for _ in range(3):
        session.look_for(file_of(Image.new("L", (16, 16))))
        jobs.append(session.looking)
    for job in jobs[:-1]:
        job.wait(20)
        assert job.done
    assert not jobs[-1].done
    session.leave()
    jobs[-1].wait(20)
    assert jobs[-1].done

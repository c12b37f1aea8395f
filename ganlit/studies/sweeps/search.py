"""A search (method bayes): Optuna chooses each trial when it starts, by what the others have found.

Its memory is a journal, a file beside the trials, which any number of jobs on a shared file system read and append to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ganlit.compute.console import say
from ganlit.errors import UserError
from ganlit.records import state
from ganlit.records.durable import PARTIAL, writing
from ganlit.records.numbers import Damaged
from ganlit.studies.sweeps.definition import Metric, Sweep
from ganlit.studies.sweeps.measures import measure
from ganlit.studies.sweeps.parameters import Parameter
from ganlit.studies.sweeps.trials import Trial, Values, frozen, load, resolved, whole, write

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

JOURNAL = "study.journal"


def propose(sweep: Sweep, number: int) -> Trial:
    """The trial of this number, which is chosen and frozen if nobody has done so yet.

    Raises:
        UserError: the metric is not what the runs have measured, or Optuna is not installed.
    """
    path = sweep.trial(number)
    if os.path.lexists(path):
        return load(path)
    optuna = imported()
    with remembering(sweep):
        study = opened(sweep, number, optuna)
        tell(sweep, study, optuna)
        asked = study.ask(distributions(sweep.parameters, optuna))
        asked.set_user_attr("number", number)
    try:
        trial = resolved(sweep, number, decoded(sweep.parameters, asked.params))
        mine = create(path, trial)
    except BaseException:
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
        raise
    if not mine:
        study.tell(asked, state=optuna.trial.TrialState.FAIL)
    return load(path)


def imported() -> ModuleType:
    try:
        import optuna
    except ImportError:
        raise UserError(
            "method bayes needs Optuna, which is not installed: pip install optuna, or ganlit[sweep]."
        ) from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


@contextmanager
def remembering(sweep: Sweep) -> Iterator[None]:
    """Refuses a memory that Optuna cannot go on with.

    Raises:
        UserError: the file is damaged, cannot be written, or was made with other parameters.
    """
    path = sweep.folder / "trials" / JOURNAL
    try:
        if os.path.lexists(path) and not path.is_file():  # a pipe would be waited for
            raise FileExistsError(None, "it is no file")
        yield
    except UserError:
        raise
    except Exception as error:  # of a damaged line Optuna says whatever it stumbles over
        reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"{path}, the memory of the search, is of no use ({reason[:200]}): if sweep.yaml has not changed, move it "
            "away, and the search begins anew from the runs that have ended."
        ) from None


def opened(sweep: Sweep, number: int, optuna: ModuleType) -> Study:
    """The study of a sweep, with a sampler that differs from those of other trials."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    path = sweep.folder / "trials" / JOURNAL
    path.parent.mkdir(exist_ok=True)
    lock = JournalFileOpenLock(str(path))  # O_EXCL, which NFS honours
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(path), lock)),
        study_name=sweep.name,
        direction=_metric(sweep).goal,
        sampler=optuna.samplers.TPESampler(seed=(sweep.digest + number) % 2**32, constant_liar=True),
        load_if_exists=True,
    )


def tell(sweep: Sweep, study: Study, optuna: ModuleType) -> None:
    """Tells a study of the trials that have ended since; a retried one that ends well after all is told again.

    One that diverged or was stopped early has shown that its settings are bad, and is told as pruned, which Optuna
    ranks below all that have a value; of one that failed nobody knows.
    """
    states = optuna.trial.TrialState
    known = study.get_trials(deepcopy=False)
    open_ones = {one.user_attrs.get("number"): one.number for one in known if one.state == states.RUNNING}
    complete = {one.user_attrs.get("number") for one in known if one.state == states.COMPLETE}
    for number, trial in whole(frozen(sweep)).items():
        run = state.read(sweep.run(number))
        if number in complete or run is None:
            continue
        value = None
        if run.phase == "done":
            value = _found(sweep, number)
        if run.phase not in ("done", "stopped early", "failed", "diverged"):
            continue
        if number in open_ones:
            without = states.PRUNED if run.phase in ("stopped early", "diverged") else states.FAIL
            outcome = {"state": without} if value is None else {"values": value}
            study.tell(open_ones[number], **outcome, skip_if_finished=True)
        elif value is not None:
            try:
                past = optuna.trial.create_trial(
                    params=encoded(sweep.parameters, trial.values),
                    distributions=distributions(sweep.parameters, optuna),
                    user_attrs={"number": number},
                    value=value,
                )
            except (LookupError, TypeError, ValueError):
                say(f"the search does without trial {number}: {sweep.trial(number)} sets what sweep.yaml does not give")
                continue
            study.add_trial(past)


def _found(sweep: Sweep, number: int) -> float | None:
    """The best value of a run; one whose numbers are damaged has none, and the search goes on."""
    try:
        found = measure(sweep.run(number), _metric(sweep))
    except Damaged as error:
        say(f"the search does without trial {number}: {error}")
        return None
    return found.best if found is not None else None


def create(path: Path, trial: Trial) -> bool:
    """Writes a trial unless another process has just done so; whether it was this one.

    Raises:
        UserError: it cannot be written.
    """
    mine = path.with_name(f".{path.name}.{token_hex(8)}{PARTIAL}")
    write(mine, trial)
    try:
        with writing(path, mine), suppress(FileExistsError):
            os.link(mine, path)
            return True
    finally:
        mine.unlink(missing_ok=True)
    return False


def distributions(parameters: list[Parameter], optuna: ModuleType) -> dict[str, BaseDistribution]:
    """What Optuna shall choose from."""
    return {one.key: _distribution(one, optuna.distributions) for one in parameters if not _fixed(one)}


def _distribution(one: Parameter, known: ModuleType) -> BaseDistribution:
    if one.values is not None:
        return known.CategoricalDistribution([json.dumps(value) for value in one.values])  # it takes no lists
    if one.distribution == "int_uniform":
        return known.IntDistribution(int(one.first), int(one.second))
    return known.FloatDistribution(one.first, one.second, log="log" in one.distribution)


def _fixed(one: Parameter) -> bool:
    return one.values is not None and len(one.values) == 1


def decoded(parameters: list[Parameter], chosen: Mapping[str, Any]) -> Values:
    """What a trial sets, of what Optuna has chosen."""
    values: Values = {}
    for one in parameters:
        if _fixed(one):
            values[one.key] = one.values[0]
        elif one.values is not None:
            values[one.key] = json.loads(chosen[one.key])
        else:
            values[one.key] = one.rounded(chosen[one.key])
    return values


def encoded(parameters: list[Parameter], values: Values) -> dict[str, Any]:
    """What Optuna has chosen, of what a trial sets; rounding may have led out of the bounds."""
    return {
        one.key: json.dumps(values[one.key])
        if one.values is not None
        else min(max(values[one.key], one.first), one.second)
        for one in parameters
        if not _fixed(one)
    }


def _metric(sweep: Sweep) -> Metric:
    assert sweep.metric is not None  # its file was refused without
    return sweep.metric

"""What launchers of several processes say of this one, looked at before a library believes it.

Lightning takes the number of a process from any variable that is called so. One that another tool has left behind would
make an only process the second of two: one that writes no record and holds no lock.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from ganlit.errors import UserError

LAUNCHERS = {  # what each sets, together
    "torchrun": ("TORCHELASTIC_RUN_ID", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    "Lightning": ("NODE_RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT"),
    "a user, by hand": ("NODE_RANK", "MASTER_ADDR", "MASTER_PORT"),
    "srun": ("SLURM_STEP_ID", "SLURM_PROCID", "SLURM_NTASKS"),
    "an array of SLURM": ("SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID"),
}
BELIEVED = (
    *("RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "TORCHELASTIC_RUN_ID"),
    *("SLURM_PROCID", "SLURM_LOCALID", "SLURM_ARRAY_JOB_ID", "JSM_NAMESPACE_RANK"),
)
NUMBERS = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_PORT", "SLURM_PROCID")
BOUNDED = (("RANK", "WORLD_SIZE"), ("LOCAL_RANK", "LOCAL_WORLD_SIZE"), ("SLURM_PROCID", "SLURM_NTASKS"))


def left_behind(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Takes out what no launcher has set, and tells which.

    Raises:
        UserError: a launcher has set something else than numbers, or a number beyond how many there are.
    """
    told = {name for names in LAUNCHERS.values() if all(environment.get(each) for each in names) for name in names}
    if "SLURM_PROCID" in told:
        told.add("SLURM_LOCALID")
    if "RANK" in told:
        told.add("GROUP_RANK")
    for name in told.intersection((*NUMBERS, "SLURM_NTASKS")):
        if not environment[name].isdecimal():
            raise UserError(f"the variable {name} is {environment[name]!r}, which is no number: unset it.")
    for rank, count in BOUNDED:
        if {rank, count} <= told and int(environment[rank]) >= int(environment[count]):
            raise UserError(
                f"{rank} is {environment[rank]} of {environment[count]} processes: unset both, or mend them."
            )
    strays = [name for name in BELIEVED if name in environment and name not in told]
    return [f"{name}={environment.pop(name)}" for name in strays]

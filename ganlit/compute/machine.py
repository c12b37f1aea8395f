"""What a training gets of the machines it runs on: how many processes, in which precision."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from lightning.fabric.plugins.environments import ClusterEnvironment, LightningEnvironment, SLURMEnvironment

from ganlit.compute import slurm
from ganlit.compute.console import say
from ganlit.compute.precision import PRECISIONS, native_bf16
from ganlit.errors import UserError


def below_srun(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether srun has started this process, and neither torchrun nor a user in an interactive job."""
    by_torchrun = "TORCHELASTIC_RUN_ID" in environment
    return "SLURM_STEP_ID" in environment and not by_torchrun and SLURMEnvironment.detect()


def slurms(environment: Mapping[str, str] = os.environ) -> list[ClusterEnvironment]:
    """What Lightning is to think of a job: it queues none again, and without srun there are no ranks in it."""
    if below_srun(environment):
        return [SLURMEnvironment(auto_requeue=False)]
    if slurm.job(environment) is not None and "TORCHELASTIC_RUN_ID" not in environment:
        return [LightningEnvironment()]
    return []


def ranks(devices: Any, nodes: int, accelerator: Any, environment: Mapping[str, str] = os.environ) -> tuple[Any, int]:
    """Devices of a node, and nodes, for the Trainer.

    Where srun or torchrun has started several processes and the configuration asks for one, it is as many as there are.

    Args:
        devices: `trainer.devices`.
        nodes: `trainer.num_nodes`.
        accelerator: `trainer.accelerator`.
        environment: variables of this process.

    Raises:
        UserError: another number was started than is asked for: all would train for themselves, in one directory.
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        who, started, here = "torchrun", int(environment["WORLD_SIZE"]), int(environment["LOCAL_WORLD_SIZE"])
        there = started // here
    elif below_srun(environment):
        who, started, there = "srun", int(environment["SLURM_NTASKS"]), int(environment.get("SLURM_NNODES", 1))
        here = started // there
    else:
        return devices, nodes
    asked = processes(devices, accelerator)
    if (asked, nodes) == (1, 1):
        asked, nodes = here, there
        devices = here
    if (asked, nodes) != (here, there) or here * there != started:
        raise UserError(
            f"{who} has started {started} processes on {there} nodes, but trainer.devices is {devices} and "
            f"trainer.num_nodes {nodes}: start as many on each node, or leave both keys out."
        )
    return devices, nodes


def processes(devices: Any, accelerator: Any) -> int:
    """How many processes a machine is asked for by `trainer.devices`: a number, a list, "0,1", -1 or "auto".

    Raises:
        UserError: it is none of these.
    """
    on_gpus = accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available()
    if str(devices) in ("auto", "-1"):
        return torch.cuda.device_count() if on_gpus else 1
    if isinstance(devices, str) and "," in devices:
        return len([part for part in devices.split(",") if part.strip()])
    if isinstance(devices, list):
        return len(devices)
    try:
        return int(devices)
    except ValueError:
        raise UserError(f"trainer.devices is {devices}: give a number, a list of GPUs such as 0,2, or auto.") from None


def most(accelerator: Any) -> int:
    """Processes that a machine can be asked for: one a GPU, and on CPUs no crowd."""
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        return torch.cuda.device_count()
    return max(8, 2 * (os.cpu_count() or 1))


def affordable(precision: Any, accelerator: Any) -> Any:
    """The precision asked for, or full precision where bfloat16 would be emulated, many times slower.

    Raises:
        UserError: small gradients vanish in it; fp16 would need a loss scale for each player.
    """
    if precision not in (*PRECISIONS, 32, "32", "bf16"):
        raise UserError(f"trainer.precision is {precision}: set it to 32-true or bf16-mixed.")
    device = "cuda" if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available() else "cpu"
    if precision != "bf16-mixed" or native_bf16(device):
        return precision
    say("precision: no native bfloat16 here, so bf16-mixed becomes 32-true")
    return "32-true"

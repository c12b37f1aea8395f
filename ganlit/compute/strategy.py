"""Two players on several processes: Lightning's launchers and ranks, and one all-reduce for each player's step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.overrides.distributed import _sync_module_states
from lightning.pytorch.plugins.layer_sync import LayerSync
from lightning.pytorch.strategies import DDPStrategy, StrategyRegistry
from torch import Tensor, distributed, nn

from ganlit.compute import slurm
from ganlit.compute.alarm import Alarm
from ganlit.errors import Stopped, UserError


def world_size() -> int:
    """The number of processes that train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


@torch.no_grad()
def average_over_ranks(tensors: Iterable[Tensor]) -> None:
    """Replaces each tensor, in place, by its mean over all ranks: one message for each type of number.

    Every rank gets the same bits, and must give tensors of the same shapes in the same order.
    """
    if world_size() == 1:
        return
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        by_type.setdefault(tensor.dtype, []).append(tensor)
    for alike in by_type.values():
        flat = torch.cat([tensor.reshape(-1) for tensor in alike])
        distributed.all_reduce(flat)
        parts = flat.div_(world_size()).split([tensor.numel() for tensor in alike])
        torch._foreach_copy_(alike, [part.view(tensor.shape) for part, tensor in zip(parts, alike, strict=True)])


class AdversarialDDP(DDPStrategy):
    """Data-parallel training without the wrapper, on NCCL and gloo, one node and many.

    DistributedDataParallel expects each backward to reach every parameter, which is never so with two players in one
    module. Here the step itself averages: `AdversarialModule.play` calls `average_over_ranks` once, after its last
    micro-batch, so that several backwards, double backwards and batch normalisation in either network are no matter.
    """

    alarm: Alarm | None = None  # once the processes have met

    def setup_environment(self) -> None:
        super().setup_environment()
        place, children = self.cluster_environment, getattr(self.launcher, "procs", [])
        self.alarm = Alarm(place.main_address, place.main_port, children)
        self.alarm.start()

    def setup(self, trainer: Trainer) -> None:
        if self._layer_sync is not None:
            self._layer_sync = BatchNormSync()
        super().setup(trainer)

    def configure_ddp(self) -> None:
        """Every rank begins with the weights of the first."""
        _sync_module_states(self.model)

    def on_exception(self, exception: BaseException) -> None:
        """Ends the other ranks, unless all of them stop on purpose."""
        super().on_exception(exception)
        if "by peer" in str(exception):
            exception.add_note("Another rank has ended without an error of its own: killed, perhaps out of memory.")
            if slurm.job() is not None:
                slurm.await_verdict()
        if self.alarm is not None and not isinstance(exception, Stopped | KeyboardInterrupt):
            self.alarm.ring(2 if isinstance(exception, UserError) else 1)

    def teardown(self) -> None:
        if self.alarm is not None:
            self.alarm.stop()
        super().teardown()

    @classmethod
    def register_strategies(cls, strategy_registry: Any) -> None:
        strategy_registry.register("adversarial_ddp", cls, description=cls.__doc__.splitlines()[0])


AdversarialDDP.register_strategies(StrategyRegistry)


class MeanOverRanks(torch.autograd.Function):
    """A tensor's mean over all ranks; its derivative is the same mean, so that it can be differentiated twice."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        mean = tensor.clone()
        average_over_ranks([mean])
        return mean

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return MeanOverRanks.apply(gradient.contiguous())


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation by the statistics of the whole batch, of which every rank holds an equal share.

    Unlike torch's SyncBatchNorm it runs on the CPU and can be differentiated twice, as R1 does.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, ...] in and out."""
        if not self.training:
            return super().forward(x)
        with torch.autocast(x.device.type, enabled=False):
            wide = x if x.dtype == torch.float64 else x.float()
            others = [0, *range(2, x.dim())]
            shape = [1, -1, *[1] * (x.dim() - 2)]
            mean = MeanOverRanks.apply(wide.mean(others))
            centred = wide - mean.view(shape)
            variance = MeanOverRanks.apply(centred.square().mean(others))
            self._follow(mean.detach(), variance.detach(), x.numel() // x.shape[1] * world_size())
            normal = centred * (variance + self.eps).rsqrt().view(shape)
            if self.affine:
                normal = normal * self.weight.view(shape) + self.bias.view(shape)
            return normal.to(x.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Moves the running statistics, the variance without its bias."""
        if self.track_running_stats:
            self.num_batches_tracked += 1
            momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)

    def _check_input_dim(self, x: Tensor) -> None: ...


class BatchNormSync(LayerSync):
    """What `--trainer.sync_batchnorm=true` does to a module."""

    def apply(self, model: nn.Module) -> nn.Module:
        for parent in list(model.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.modules.batchnorm._BatchNorm):
                    setattr(parent, name, shared(child))
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        """The layers stay: alone they are ordinary batch normalisation."""
        return model


def shared(layer: nn.modules.batchnorm._BatchNorm) -> SharedBatchNorm:
    """The same layer, with the same parameters and buffers, over all ranks."""
    made = SharedBatchNorm(layer.num_features, layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    made.__dict__.update(layer.__dict__)
    return made

"""Several processes that train one network: they learn what one process would from all their crops together."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import errno
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from pathlib import Path

import cv2
import torch
from torch import Tensor, distributed, nn

from .errors import TrainingError

STOPPING = (signal.SIGINT, signal.SIGTERM)

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of malloc.h


def single_thread() -> None:
    """For one worker among several: with more threads than cores, they wait for each other."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def keep_freed_memory() -> None:
    """Have glibc keep the memory of freed tensors for the next ones: asking for it anew costs 5 to 7 % of a step."""
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # another C library
            mallopt = ctypes.CDLL(None).mallopt
            mallopt(_M_MMAP_MAX, 0)
            mallopt(_M_TRIM_THRESHOLD, -1)


@contextlib.contextmanager
def signals_held_back() -> Iterator[None]:
    """Block the stopping signals while helpers start; the helpers inherit this for good.

    Whatever stops a run (Ctrl-C, `timeout`, a scheduler, `accelerate launch`) signals the whole process group, but the
    trainer alone decides when they all end.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Helpers ignore the signal by which Python ends them at exit: without this, an error would wait for them for ever.
    atexit.unregister(_end_helpers)
    atexit.register(_end_helpers)
    # Starting the resource tracker lets signals through again, which must not happen halfway.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder exclusively, at most as long as this process lives: a crash leaves no lock behind.

    Raises:
        TrainingError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # helpers, which may outlive this, do not inherit it
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                yield  # a file system without locks
                return
            raise TrainingError(
                f"{folder}: another sketchgan-train is at work there; wait until it ends, or choose another folder"
            ) from error
        yield


def _end_helpers() -> None:
    for helper in multiprocessing.active_children():
        helper.kill()


def processes() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def average(values: Tensor) -> Tensor:
    """The mean of `values` over all processes, of the same shape in each; differentiable."""
    return values if processes() == 1 else _Average.apply(values)


def average_scalars(scalars: dict[str, Tensor]) -> dict[str, Tensor]:
    """The mean of each over the processes, in one message."""
    if processes() == 1:
        return scalars
    means = average(torch.stack([value.detach().float() for value in scalars.values()]))
    return dict(zip(scalars, means.unbind(), strict=True))


def share_batch_norm(network: nn.Module) -> None:
    """Let every batch norm in `network` see the crops of all processes; the names of its weights stay."""
    for module in network.modules():
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d:
                shared = SharedBatchNorm(child.num_features, child.eps, child.momentum)
                shared.load_state_dict(child.state_dict())
                setattr(module, name, shared)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the batches of all processes, which must be of one size. torch's SyncBatchNorm refuses CPUs."""

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        mean = average(x.mean((0, 2, 3)))
        centred = x - mean[:, None, None]
        variance = average(centred.square().mean((0, 2, 3)))
        with torch.no_grad():
            count = x.numel() // x.shape[1] * processes()
            for running, seen in ((self.running_mean, mean), (self.running_var, variance * count / (count - 1))):
                assert running is not None
                running.lerp_(seen, self.momentum or 0.0)
            assert self.num_batches_tracked is not None
            self.num_batches_tracked.add_(1)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(input.dtype)


class _Average(torch.autograd.Function):
    @staticmethod
    def forward(context: object, values: Tensor) -> Tensor:
        return _sum(values) / processes()

    @staticmethod
    def backward(context: object, gradient: Tensor) -> Tensor:
        # every process's loss depends on these values
        return _sum(gradient) / processes()


def _sum(values: Tensor) -> Tensor:
    total = values.contiguous().clone()
    distributed.all_reduce(total)
    return total

"""Where and how to compute: device, threads, precision.

Functions in `core` run where their tensors are; only commands and pages choose, and they choose here.
"""

import functools
import os
import platform
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.problems import InputError

DEVICE_VARIABLE = "ROBUST_FROG_DEVICE"
THREADS_VARIABLE = "ROBUST_FROG_THREADS"
M = TypeVar("M", bound=nn.Module)
T = TypeVar("T")
SWITCH_S = 0.001
MOST_THREADS = 1024  # more than that, and the system may refuse them


def device() -> torch.device:
    """Choose `$ROBUST_FROG_DEVICE` if set, else cuda, mps or cpu, the first there is.

    Raises:
        ValueError: If the variable names a device that torch does not know or this machine does not have.
    """
    wanted = os.environ.get(DEVICE_VARIABLE, "").strip().lower()
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if not wanted:
        return torch.device(next(name for name, there in present.items() if there))
    if not present.get(wanted.split(":", maxsplit=1)[0], False):
        have = ", ".join(name for name, there in present.items() if there)
        raise InputError(f"{DEVICE_VARIABLE}={wanted} is not available here; this machine has: {have}")
    try:
        return torch.device(wanted)
    except RuntimeError as error:
        raise InputError(f"{DEVICE_VARIABLE}={wanted} is not a device: {str(error).splitlines()[0]}") from error


def setup_cpu(threads: int | None = None) -> int:
    """Set torch's threads (argument, else `$ROBUST_FROG_THREADS`, else all usable cores) and flush denormals.

    Call once at start. Returns the number of threads in use.

    Raises:
        ValueError: If the number of threads is not a whole number from 1 to `MOST_THREADS`.
    """
    raw = threads if threads is not None else os.environ.get(THREADS_VARIABLE) or usable_cores()
    try:
        count = int(raw)
    except ValueError:
        count = 0
    if not 1 <= count <= MOST_THREADS:
        raise InputError(f"{THREADS_VARIABLE} must be a whole number, 1 to {MOST_THREADS}, got {raw!r}")
    torch.set_num_threads(count)
    torch.set_flush_denormal(True)  # decaying SiLU activations otherwise fall into the slow range
    return torch.get_num_threads()


def usable_cores() -> int:
    """Count the cores this process may run on (containers may own fewer than the machine has)."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_fast_bf16(on: torch.device) -> bool:
    """Tell whether bfloat16 matrix products are native on that device (2.4 times float32 on a Zen 5 core)."""
    if on.type == "cuda":
        return torch.cuda.is_bf16_supported()
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return on.type == "cpu" and supported is not None and bool(supported())


def autocast(on: torch.device, precision: str = "auto") -> AbstractContextManager[object]:
    """Open the context to train in: bfloat16 where it is fast ("auto"), or as asked.

    Raises:
        ValueError: If precision is not "auto", "bf16" or "fp32".
    """
    if precision not in ("auto", "bf16", "fp32"):
        raise InputError(f"precision must be auto, bf16 or fp32, got {precision!r}")
    if precision == "bf16" or (precision == "auto" and has_fast_bf16(on)):
        return torch.autocast(on.type, torch.bfloat16)
    return nullcontext()


def arrived(found: T) -> T:
    """Return a result with all its tensors on the CPU, whatever device computed them: so it leaves a topic.

    Args:
        found: A tensor, or a dataclass, tuple, list or mapping of results.
    """
    made: Any = found
    if isinstance(found, Tensor):
        made = found.cpu()
    elif is_dataclass(found) and not isinstance(found, type):
        parts = {field.name: arrived(getattr(found, field.name)) for field in fields(found) if field.init}
        moved = {name: part for name, part in parts.items() if part is not getattr(found, name)}
        made = replace(found, **moved) if moved else found
    elif isinstance(found, dict):
        made = {key: arrived(part) for key, part in found.items()}
    elif type(found) in (tuple, list):
        each: Any = found
        made = type(each)(arrived(part) for part in each)
    return cast(T, made)


def for_inference(model: M, on: torch.device | str = "cpu") -> M:
    """Prepare a model for attacks: eval mode, frozen weights, channels_last, batch norms folded where exact.

    The model is changed in place and returned. A folded batch norm leaves an `nn.Identity`.
    """
    model.eval().requires_grad_(False)
    for parent in list(model.modules()):
        if isinstance(parent, nn.Sequential):
            _fold(parent)
    return model.to(on, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fold(layers: nn.Sequential) -> None:
    for i in range(len(layers) - 1):
        conv, norm = layers[i], layers[i + 1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers[i] = fuse_conv_bn_eval(conv, norm).requires_grad_(False)
            layers[i + 1] = nn.Identity().eval()


@functools.cache
def setup_app() -> int:
    """Set torch up as the app computes, and return how many computations it runs at a time: one a core, a thread each.

    Two attacks side by side on one thread each outrun one after the other on two, and do not stall each other when the
    machine is busy (a two-thread step then waits for the slower thread, every layer anew). A computation that comes
    back from a layer waits a millisecond, not Python's five, for a page that is being written.
    """
    sys.setswitchinterval(SWITCH_S)
    setup_cpu(None if os.environ.get(THREADS_VARIABLE) else 1)
    return usable_cores()


def at_work(threads: int) -> str:
    """Say what computes, for the words of how something was measured: so many CPU threads, or the device."""
    here = device()
    return f"{threads} CPU threads" if here.type == "cpu" else here.type


def machine() -> str:
    """Name this computer's processor and how many of its cores are used, or its graphics card."""
    here = device()
    if here.type == "cuda":
        return torch.cuda.get_device_name(here)
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    cores = torch.get_num_threads()
    return f"{named or platform.processor() or platform.machine()}, {cores} {'core' if cores == 1 else 'cores'}"

"""Several processes under `torchrun`."""

import os

import torch
import torch.distributed as dist

from core import compute


def join_processes() -> tuple[torch.device, int]:
    """Join the other processes of a `torchrun`, if there are any; return this one's device and rank."""
    here = compute.device()
    if "RANK" not in os.environ:
        return here, 0
    dist.init_process_group("nccl" if here.type == "cuda" else "gloo")
    if here.type == "cuda":
        here = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(here)
    return here, dist.get_rank()

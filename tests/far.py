"""A device of pretence, for tests of what only a GPU would show: results that stay there, tensors of two devices mixed.

    with Far():
        model = there(tiny())
        found = attack(recipe, "", model=model)      # raises where a tensor from here meets one from there
    assert left_behind(found) == []                  # paths of tensors that have not come back

A tensor there is an ordinary one of a class of its own, which every operation hands on. Its device is called FAR, a GPU
that no machine has, so that `x.to(other.device)` and `torch.zeros(..., device=x.device)` mean what they say.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

FAR, HERE = torch.device("cuda", 99), torch.device("cpu")
# What real devices let through although tensors are of two: copies, and indices from the CPU.
MEETING = {Tensor.copy_, Tensor.__getitem__, Tensor.__setitem__, Tensor.__len__, Tensor.__repr__}


Plain = torch.Generator


class Generator(torch.Generator):
    """In place of `torch.Generator`: one for the device of pretence draws here, as all of that device does."""

    def __new__(cls, device: object = None) -> torch.Generator:
        return Plain.__new__(Plain)


class There(Tensor):
    """A tensor on the device of pretence."""


class Far(TorchFunctionMode):
    """Where tensors may be there."""

    def __torch_function__(self, func: Any, types: object, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func == Tensor.device.__get__:  # type: ignore[attr-defined]
            return FAR if isinstance(args[0], There) else HERE
        if func is Tensor.cpu:
            return _plain(args[0])
        goes = kwargs.get("device") or next((a for a in args[1:] if isinstance(a, torch.device)), None)
        if func is Tensor.to and goes is None and len(args) > 1 and isinstance(args[1], Tensor):
            goes = FAR if isinstance(args[1], There) else HERE
        wants = None if goes is None else torch.device(goes)
        tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
        far = any(isinstance(one, There) for one in tensors)
        near = any(not isinstance(one, There) and one.dim() for one in tensors)
        if far and near and func not in MEETING and func is not Tensor.to:
            raise RuntimeError(f"{getattr(func, '__name__', func)}: expected all tensors to be on the same device")
        args, kwargs = tree_map(_here, (args, kwargs))
        if kwargs.get("device") is not None:
            kwargs["device"] = HERE
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **kwargs)
        lands_there = far if wants is None else wants == FAR
        return tree_map(_there if lands_there else _plain, found)


def _here(one: Any) -> Any:
    return HERE if isinstance(one, torch.device) else one


def _there(one: Any) -> Any:
    with torch._C.DisableTorchFunction():
        return one.as_subclass(There) if isinstance(one, Tensor) and not isinstance(one, There) else one


def _plain(one: Any) -> Any:
    with torch._C.DisableTorchFunction():
        return one.as_subclass(Tensor) if isinstance(one, There) else one


def there(model: nn.Module) -> nn.Module:
    """Bring a model there."""
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(
                    _there(parameter.detach()), requires_grad=parameter.requires_grad
                )
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = _there(buffer)
    return model


def left_behind(found: object, path: str = "") -> list[str]:
    """List the places in a result whose tensors are still there."""
    return [at or "the result itself" for at, one in _tensors(found, path) if isinstance(one, There)]


def _tensors(found: object, path: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(found, Tensor):
        yield path, found
    elif dataclasses.is_dataclass(found) and not isinstance(found, type):
        for field in dataclasses.fields(found):
            yield from _tensors(getattr(found, field.name), f"{path}.{field.name}")
    elif isinstance(found, Mapping):
        for key, one in found.items():
            yield from _tensors(one, f"{path}[{key!r}]")
    elif isinstance(found, list | tuple):
        for i, one in enumerate(found):
            yield from _tensors(one, f"{path}[{i}]")

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
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

FAR, HERE = torch.device("cuda", 99), torch.device("cpu")
# What real devices let through although tensors are of two: copies, and indices from the CPU.
MEETING = {Tensor.copy_, Tensor.__getitem__, Tensor.__setitem__, Tensor.__len__, Tensor.__repr__}
INDEXED = {Tensor.__getitem__, Tensor.__setitem__}


class Generator(torch.Generator):
    """In place of `torch.Generator`: one for the device of pretence says so, and draws here as all of that device does.

    As on real devices, it draws for tensors of its own device alone.
    """

    where: torch.device

    def __new__(cls, device: Any = HERE) -> Self:
        made = super().__new__(cls)
        made.where = torch.device(device)
        return made

    def __init__(self, device: Any = HERE) -> None:
        """Do nothing more: torch's own would ask for a device that no machine has."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """Where it draws."""
        return self.where


class There(Tensor):
    """A tensor on the device of pretence."""


class Far(TorchFunctionMode):
    """Where tensors may be there."""

    def __torch_function__(self, func: Any, types: object, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func in ANSWERED:
            return _answered(func, args, kwargs)
        goes = kwargs.get("device") or next((a for a in args[1:] if isinstance(a, torch.device)), None)
        if func is Tensor.to and goes is None and len(args) > 1 and isinstance(args[1], Tensor):
            goes = FAR if isinstance(args[1], There) else HERE
        wants = None if goes is None else torch.device(goes)
        tensors = [one for one in tree_flatten((args, kwargs))[0] if isinstance(one, Tensor)]
        far = any(isinstance(one, There) for one in tensors)
        near = any(not isinstance(one, There) and one.dim() for one in tensors)
        if far and near and func is not Tensor.to and (func not in MEETING or _misplaced(func, args)):
            raise RuntimeError(f"{getattr(func, '__name__', func)}: expected all tensors to be on the same device")
        if far and func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("what is there becomes no array; copy it to the CPU first")
        lands_there = far if wants is None else wants == FAR
        if func is Tensor.__getitem__:  # rows stay where they are, whoever picks them
            lands_there = isinstance(args[0], There)
        draws = kwargs.get("generator")
        if draws is not None and draws.device != (FAR if lands_there else HERE):
            raise RuntimeError(f"{getattr(func, '__name__', func)}: the generator is for {draws.device}")
        args, kwargs = tree_map(_here, (args, kwargs))
        if kwargs.get("device") is not None:
            kwargs["device"] = HERE
        with torch._C.DisableTorchFunctionSubclass():
            found = func(*args, **kwargs)
        return tree_map(_there if lands_there else _plain, found)


def _here(one: Any) -> Any:
    return HERE if isinstance(one, torch.device) else one


def _there(one: Any) -> Any:
    with torch._C.DisableTorchFunction():
        return one.as_subclass(There) if isinstance(one, Tensor) and not isinstance(one, There) else one


def _plain(one: Any) -> Any:
    with torch._C.DisableTorchFunction():
        return one.as_subclass(Tensor) if isinstance(one, There) else one


# What hands no tensor to the device.
ANSWERED = {
    Tensor.device.__get__,  # type: ignore[attr-defined]
    Tensor.cpu,
    Tensor.__deepcopy__,
    torch.device,
    torch._C._nn._parse_to,
    torch._has_compatible_shallow_copy_type,
}


def _answered(func: Any, args: Any, kwargs: Any) -> Any:
    if func is Tensor.cpu:
        return _plain(args[0])
    if func is Tensor.__deepcopy__:
        return _copied(*args)
    if func is torch.device:
        return func(*args, **kwargs)
    if func is torch._C._nn._parse_to:  # how `model.to` reads its arguments
        device, *others = func(*args, **kwargs)
        return FAR if isinstance(args[0], There) else device, *others
    if func is torch._has_compatible_shallow_copy_type:  # whether `model.to` may leave the parameters in place
        return isinstance(args[0], There) == isinstance(args[1], There)
    return FAR if isinstance(args[0], There) else HERE


def _misplaced(func: Any, args: Any) -> bool:
    """Whether an index is there and what it picks from here, or rows are overwritten by values of the other device."""
    if func not in INDEXED:
        return False
    index, *value = args[1:]
    rows = [one for one in tree_flatten(index)[0] if isinstance(one, Tensor) and one.dim()]
    if not isinstance(args[0], There) and any(isinstance(one, There) for one in rows):
        return True
    new = [one for one in value if isinstance(one, Tensor) and one.dim()]
    return bool(rows) and any(isinstance(one, There) != isinstance(args[0], There) for one in new)


def _copied(one: Tensor, memo: dict[int, Any]) -> Tensor:
    """Copy a tensor for `copy.deepcopy`, where it is."""
    if id(one) not in memo:
        with torch._C.DisableTorchFunction():
            copied = one.detach().clone()
            copied = copied.as_subclass(There) if isinstance(one, There) else copied
        if isinstance(one, nn.Parameter):
            memo[id(one)] = nn.Parameter(copied, requires_grad=one.requires_grad)
        else:
            memo[id(one)] = copied.requires_grad_(one.requires_grad)
    return memo[id(one)]  # type: ignore[no-any-return]


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

"""What several architectures are built of."""

from torch import Tensor, nn


class Residual(nn.Module):
    """x + block(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


def conv(c_in: int, c_out: int, *, pool: bool = False) -> nn.Sequential:
    """Convolve 3x3, normalise, SiLU; halve the resolution by averaging if asked."""
    layers: list[nn.Module] = [
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.SiLU(),
    ]
    return nn.Sequential(*layers, *([nn.AvgPool2d(2)] if pool else []))


def average() -> nn.Sequential:
    """Average over all positions: (N, D, H, W) to (N, D)."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

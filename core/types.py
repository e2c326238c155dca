"""Shape letters of the whole package: N batch, C H W image, K classes, D features."""

from jaxtyping import Float, Int
from torch import Tensor

Images = Float[Tensor, "n c h w"]  # float32 pixels in [0, 1]
Labels = Int[Tensor, " n"]  # int64 class indices
Logits = Float[Tensor, "n k"]
Features = Float[Tensor, "n d"]  # the representation g(x)
PerExample = Float[Tensor, " n"]  # one number per image

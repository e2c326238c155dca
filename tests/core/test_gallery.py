"""The offline gallery: Gaussians of classes, painting, and which pictures are kept."""

import numpy as np
import pytest
import torch

from core.data.sets import Pictures
from core.files.render import from_uint8
from core.synthesis.gallery import ClassGaussian, build, paint
from tests.helpers import draws, images, template_pictures, trained


def made_up(n: int = 4000, rank: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images of a known mean and a known covariance of low rank, away from the ends of the range."""
    directions = torch.linalg.qr(torch.randn(3 * 4 * 4, rank, generator=draws(1)))[0].T
    scaled = directions * torch.tensor([0.2, 0.1, 0.05])[:, None]
    mean = 0.45 + 0.1 * images(1, size=4, seed=2)[0]
    x = mean + (torch.randn(n, rank, generator=draws(3)) @ scaled).reshape(n, 3, 4, 4)
    return x, mean, scaled.T @ scaled


def test_samples_have_the_mean_and_covariance_of_the_class():
    x, mean, covariance = made_up()
    sample = ClassGaussian.of(x, 3).sample(8000, draws(4))
    torch.testing.assert_close(sample.mean(0), mean, rtol=0, atol=0.01)
    torch.testing.assert_close(torch.cov(sample.flatten(1).T), covariance, rtol=0, atol=1.5e-3)


def test_samples_come_from_the_generator_and_are_pixels():
    x, _, _ = made_up(200)
    gaussian = ClassGaussian.of((4 * (x - 0.5) + 0.5).clamp(0, 1), 3)
    first, again, other = (gaussian.sample(50, draws(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 1


def test_painting_raises_the_targets_probability_within_its_ball():
    model, x, _ = trained()
    seeds, y = x[:16], torch.arange(16) % 4
    painted = paint(model, seeds, y, eps=1.0, steps=10)
    with torch.no_grad():
        before, after = (model(t).softmax(1).gather(1, y[:, None])[:, 0] for t in (seeds, painted))
    assert (after >= before - 1e-6).all()
    assert after.mean() > before.mean() + 0.2
    assert ((painted - seeds).flatten(1).norm(dim=1) <= 1.0 + 1e-4).all()


@pytest.fixture(scope="module")
def built() -> dict[int, Pictures]:
    """A gallery of two and one of eight a class, from the same eight candidates."""
    model, _, _ = trained()
    train = template_pictures(200, contrast=0.08, noise=0.2)
    return {n: build(model, model, train, per_class=n, candidates=8, seed=1, rank=20) for n in (2, 8)}


def test_the_gallery_has_so_many_of_each_class(built):
    assert np.bincount(built[2].labels).tolist() == [2, 2, 2, 2]
    assert built[2].images.shape == (8, 16, 16, 3)
    assert built[2].images.dtype == np.uint8


def test_the_most_certain_are_kept(built):
    """Of all eight candidates the first two, judged on the 8-bit pictures."""
    model, _, _ = trained()
    for label in range(4):
        everything = built[8].images[built[8].labels == label]
        with torch.no_grad():
            p = model(from_uint8(everything)).softmax(1)[:, label]
        best = everything[p.argsort(descending=True)[:2].numpy()]
        kept = built[2].images[built[2].labels == label]
        with torch.no_grad():
            torch.testing.assert_close(
                model(from_uint8(kept)).softmax(1)[:, label], model(from_uint8(best)).softmax(1)[:, label]
            )


def test_no_training_picture_is_in_the_gallery(built):
    train = {image.tobytes() for image in template_pictures(200, contrast=0.08, noise=0.2).images}
    assert not train & {image.tobytes() for image in built[8].images}


def test_the_seed_alone_decides_what_is_sampled():
    x = images(60, size=8)
    first, second = (ClassGaussian.of(x, 20).sample(3, draws(1)) for _ in range(2))
    assert torch.equal(first, second)

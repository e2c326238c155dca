"""What stands side by side on the Perturb page, and on the home page: `core.perturb.scene`, kept between runs."""

from functools import partial

from core.perturb import Trajectory, scene
from core.perturb.scene import axis as axis_of
from core.perturb.scene import called
from pages.perturb.work import Job
from pages.ui.scrubber import Axis, Row
from pages.ui.store import model

__all__ = ["axis_of", "called", "columns"]


def columns(job: Job, left: Trajectory, right: Trajectory, axis: Axis, *, control: bool = True) -> list[Row]:
    """Build the columns: the left model, the right one, and random noise of the same size as the left one sees it.

    Args:
        job: The page's work.
        left: What is known of the left model's trajectory.
        right: The same of the right one.
        axis: What the slider moves along.
        control: With the noise, and with what each model says of the other's pictures.
    """
    recipe, frames = job.recipe, min(len(left.x_adv), len(right.x_adv))
    left, right = left.first(frames), right.first(frames)
    if not control:
        return scene.rows(recipe, left, right, axis)
    models = (model(recipe.standard), model(recipe.robust))
    # The noise is drawn from the seed whether or not the attack is.
    beside = job.kept(("others", recipe.seed), frames, partial(scene.others, recipe, left, right, models))
    return scene.rows(recipe, left, right, axis, beside)

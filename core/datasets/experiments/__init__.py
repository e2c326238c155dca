"""The paper's experiments on data: construct the sets, train students on them the ordinary way, see what they learnt.

    python -m core.datasets.experiments run {figure2,table1,figure3,controls,cats-vs-dogs} --profile {quick,cpu,full}

Results go to `assets/results/<experiment>.json`. Sets, runs and learning curves are kept in `runs/`, so that a run that
was killed goes on where it was.
"""

from core.datasets.experiments.lessons import Places
from core.datasets.experiments.plans import PLANS, Student, plan
from core.datasets.experiments.run import run
from core.datasets.experiments.scales import PROFILES, SCALES, Scale

__all__ = ["PLANS", "PROFILES", "SCALES", "Places", "Scale", "Student", "plan", "run"]

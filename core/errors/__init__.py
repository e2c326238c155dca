"""What is left of the argument once labels are wrong and features leak: the Errors page.

wrong       a network's errors, and nothing else, teach another one (Wallace 2019), with two controls
toy         the same on 32 points of a plane, in a second
leakage     what robust linear features alone find in D_rand and D_det (Goh 2019)
manifold    is a perturbation on or off the data? (the dimpled manifold of Shamir et al. 2021)
learners    do non-robust features serve a learner without labels? (Li et al. 2023; `contrastive` is one,
            `learnt` reads what was measured)
measure     python -m core.errors measure
"""

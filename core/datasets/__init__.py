"""The paper's data sets: built (`construct`), shown as they are made (`live`), and what networks learn from them.

construct     D_R, D_NR, D_rand, D_det: python -m core.datasets.construct
experiments   sets, students and results: python -m core.datasets.experiments run
live          a few pictures of a set, step by step
student       a network that learnt from a constructed set, looked at
lesson        a set, a student, and clean pictures that examine it after each pass
wrong         such a lesson on CIFAR-10, in about a minute
measure       what students learn in it: python -m core.datasets.measure
"""

"""The dial: one network, trained against five radii of adversary; what it sees, and what changes along the way.

networks    which networks there are, and who judges what they make
views       what the page computes: one picture in the hands of each of them; scene says how it is shown
measure     trends along the dial, with intervals: python -m core.dial measure
"""

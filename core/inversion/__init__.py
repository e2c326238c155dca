"""What does a representation keep of a picture? The Robust frog page.

invert      the computation: move a picture until its representation is another one's
starts      where it starts
emergence, gallery, feature, between    what each view computes; views says what each depends on
measure     what third networks see in inversions: python -m core.inversion measure
"""

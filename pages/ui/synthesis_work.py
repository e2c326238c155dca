"""The work of the studio, and the independent network that looks at what was painted."""

JUDGE = "vgg-standard"
JUDGE_NAME = "a third network"

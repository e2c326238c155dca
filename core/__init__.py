"""The science of Robust Frog: pure functions on tensors.

The ground, in the order in which it is stacked:

problems, commands, compute, types, rates   errors for people, and commands that end in them; device and threads; shapes
recipes, files                    what a view is made of; tensors to pixels, films and arrays
data, models                      pictures; classifiers with an open representation, and their weights
results                           measured results on disk
attacks                           one loop that walks down an objective inside a ball
train                             how the models were made and measured

A folder a topic, with the same name in pages/, assets/ and tests/:

perturb, inversion, synthesis, saliency, transfer, datasets, usefulness, gaussian

Pictures are float32 (N, C, H, W) in [0, 1], always; normalisation is the first layer of a model. Nothing here imports
streamlit, sets a global seed or keeps global state. Lower rooms never import higher ones (docs/design.md).
"""

from core import aliases

aliases.install()

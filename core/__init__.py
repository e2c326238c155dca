"""The science of Robust Frog: pure functions on tensors.

In reading order:

balls, objectives, attacks        one loop that walks down an objective inside a ball
models, checkpoints, data         classifiers with an open representation, their weights, pictures
inversion, saliency, transfer     what a model keeps of a picture, what its gradients show, who else is fooled
gaussian, usefulness, goh         the theory of the paper, and its definitions measured on networks
synthesis, morph                  painting with a classifier
train, evaluate, zoo              how the models were made and measured; each is also a command
construct, experiments            the paper's data sets, and what networks learn from them
compute, recipes, render          device and threads; what a view is made of; tensors to pixels

Pictures are float32 (N, C, H, W) in [0, 1], always; normalisation is the first layer of a model. Nothing here imports
streamlit, sets a global seed or keeps global state.
"""

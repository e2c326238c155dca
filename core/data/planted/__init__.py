"""The planted world's pictures: drawn by code, so that one knows what is in each, and nothing is downloaded.

world    what is planted: shapes that everybody sees, weaves that nobody does
scenes   what chance decides of each picture, and the pictures that this makes
drawn    the set that belongs to the world as it ships, as CIFAR-10 belongs to its own
bayes    the best that anybody can do who sees only the pictures
features what was planted, as functions of pictures, and how useful it is in closed form
marks    how much of a perturbation or of a map lies on what was planted in a picture
"""

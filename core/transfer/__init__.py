"""Transfer: perturbations made for one network fool others, because they learnt the same non-robust features.

matrix        who is fooled by whose adversarial examples, and by noise of the same size
outcome       what was found, picture by picture, and counted with both denominators
similarity    how alike two representations are (linear CKA), and how well that predicts transfer
results       what was measured on many pictures: `python -m core.transfer measure` writes it
views         what the Transfer page computes, and the script that it offers

Source: Ilyas et al. (2019), section 3.2 and figure 3.
"""

from core.transfer.matrix import Attack, Ensemble, craft, in_order, transfer_matrix
from core.transfer.outcome import Cell, Transfer
from core.transfer.similarity import linear_cka

__all__ = ["Attack", "Cell", "Ensemble", "Transfer", "craft", "in_order", "linear_cka", "transfer_matrix"]

"""Style transfer with our own networks (Nakano 2019): what their layers hold of a texture.

pictures    content and style: photographs, the gallery, textures drawn by code, uploads
gram        the objective: representations of the content, Gram matrices of the style
transfer    the one loop with it, recorded
layers      how easily each layer is moved: R(f) of the authors' reply
measure     python -m core.style measure
"""

"""Planted: a world whose features are known, because it draws its own pictures (page Sandbox).

For example:

    world = PlantedWorld(faint=0.2)                       # core.data.planted.world: what is planted
    x = render(world, draw(world, 100, seed=0))           # core.data.planted.scenes: pictures of it
    bayes_logits(world, x)                                # core.data.planted.bayes: the best that anybody can do
    networks = pair(PlantedRecipe())                      # core.planted.networks: a standard and a robust network
    written(networks["standard"], world, scenes, 0.5)     # core.planted.probes: what does the attack write?
"""

"""Whole synchronisations side by side: our command, those of others, and a loop.

`trees` is what is synchronised and `places` are its two ends; `peers` is how each command is told
to do it, and `timed` is the small process that starts one of them, so that its memory and its time
on the processor are known. `race` lets them take turns, `report` tells the medians, and `scale` is
a synchronisation of very many keys in memory.
"""

"""Stores on this machine side by side: files, databases, archives, memory, and what others offer.

`stores` is how each of ours does the same, `files` and `databases` how others do it; `worker` is
the process that one of them lives in, so that its time on the processor and its memory are its own;
`tasks` is what they do; `race` lets them take turns, and `report` tells the medians and which of
them are as they must be.
"""

"""Clients of S3 side by side, against one real server in one run.

`peers` is how each client does the same (`others`: how those that are not ours do); `worker` is the
process that one of them lives in, so that its time on the processor and its memory are its own;
`tasks` is what they do; `race` lets them take turns, and `report` tells the medians.
"""

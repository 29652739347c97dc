"""How fast it is beside what people would pick instead, on the same machine in the same minutes.

Absolute figures drift between machines, and on one machine between minutes. So every system gets
the same load in turn, again and again (interleaved rounds), and what counts are ratios of medians.

Reading order: `loads` (what is done), `systems` (who does it, and how they are started and ended),
`entrants` (which system is reached in which way), `drivers` (what sends the requests), `usage` and
`syncs` (what it costs), `measurement` (what comes of it), `rounds` (in which order), `report`
(tables, a picture, limits), then `bench_command`, which is `./run.py bench`. `scaling` and `small`
are runs of their own. `profile` is `./run.py profile`.
"""

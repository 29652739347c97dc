"""The course simulator: runs replicas, plays their network and their clients, and judges them.

Reading order: `config` (what is asked for), `dialect` and `wire` (how replicas are spoken to),
`replica_process`, `network`, `client`, `simulation` (the loop that ties them together), `checks` and
`linearizability` (the judgement), `results` and `report` (the figures and their print).
`single_run` is the process that holds one simulation; `campaign` starts as many of them as asked for;
`command_line` is what `run.py` calls.
"""

"""Real Redis clients against a real cluster: that each of them gets the right answers.

Reading order: `door` (where a client can knock), `results` (what came of it), `raw_protocol`,
`redis_tools` and `redis_benchmark` (checks in this process), `install` and `scripts` (clients that
are programs of their own, each in a folder here), `clients_command` (`./run.py clients`).
"""

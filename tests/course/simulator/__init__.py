"""The course simulator: runs replicas, plays their network and their clients, and judges them.

Reading order: `config` and `timeline` (what is asked for), `dialect`, `wire` and `message_form`
(how replicas are spoken to), `replica_process`, `network`, `client`, `simulation` (the loop that
ties them together), `checks` and `linearizability` (the judgement), `results` and `report` (the
figures and their print). `single_run` is the process that holds one simulation; `campaign` starts
as many of them as asked for; `course_runs`, `random_runs`, `build` and `test_command` are the
commands; `command_line` is what `run.py` calls.
"""

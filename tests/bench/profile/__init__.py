"""Where the time of our nodes goes: a flame graph for each actor thread, and a summary.

Reading order: `stacks` (what perf has seen), `recorder` (how perf is run), `flame` (the picture),
`summary` (the text), `profile_command`, which is `./run.py profile`.
"""

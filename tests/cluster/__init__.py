"""A cluster of real nodes on this machine: for people who want to try it, and for tests.

Reading order: `layout` (where everything of a cluster is), `resp` (how its nodes are asked),
`node_process` (one node), `cluster` (all of them, from the first start to the end), `show` (what a
person sees) and `cluster_command`, which is `./run.py cluster`.
"""

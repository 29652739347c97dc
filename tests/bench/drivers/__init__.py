"""What sends the requests: redis-benchmark, the load for etcd, and what fills the keys before.

Reading order: `outcome`, `redis_benchmark`, `quorate_bench`, `resp`, `etcd_load`, `fill`.
"""

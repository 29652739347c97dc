"""What of the cluster command can be tested without starting nodes, and one cluster that is."""

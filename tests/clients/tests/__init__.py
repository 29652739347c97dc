"""Of the checks of clients: how their outcomes are collected and told."""

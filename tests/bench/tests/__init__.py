"""What of the benchmark can be tested without servers: reports that are read, figures, pages."""

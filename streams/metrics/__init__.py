"""What a worker can be measured by: every figure named once, and how the figures are told to Prometheus."""

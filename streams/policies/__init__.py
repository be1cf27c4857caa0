"""What is coded, and how each payer takes it: policies as TOML files, read and explained."""

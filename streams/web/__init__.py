"""The worker's pages: what a supervisor and an operator may ask it, and who may ask."""

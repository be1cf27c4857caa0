"""The recount: every decision computed anew from the input alone, and held against what billing was told."""

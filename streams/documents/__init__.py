"""Pages that stand by themselves: one HTML file, nothing to fetch, readable by everybody."""

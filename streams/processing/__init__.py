"""The stream task: what one partition's records do to its episodes, and what is to be written for it."""

"""Patients that none of us wrote: MITRE's Synthea, run on this machine and mapped onto our two events."""

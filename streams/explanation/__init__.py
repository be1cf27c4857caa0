"""Why an episode is coded as it is, in words: the answer to "why?" from billing, clinics and operators."""

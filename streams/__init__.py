"""The worker: reads surveys and treatments, codes G9603, tells billing."""

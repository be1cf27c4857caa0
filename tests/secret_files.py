"""A secret in a file, as an orchestrator hands it over."""

from pathlib import Path


def secret_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    """A file of *mode* with *content*."""
    path = folder / "secret"
    path.write_text(content)
    path.chmod(mode)
    return path

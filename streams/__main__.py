"""The console command ``g9603``; also ``python -m streams``."""

from streams.cli.application import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="g9603")


if __name__ == "__main__":
    main()

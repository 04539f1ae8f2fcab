"""`python -m roleplay`: the `roleplay` command where its script is not on the path."""

from roleplay.cli import app

if __name__ == "__main__":
    app()

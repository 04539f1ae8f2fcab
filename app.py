"""Open the practice room: `python app.py` is the same as `roleplay serve`."""

import sys

from roleplay.cli import app

if __name__ == "__main__":
    app(["serve", *sys.argv[1:]])

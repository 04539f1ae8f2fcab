"""Open the practice room: `python app.py` is the same as `roleplay serve`."""

from roleplay.cli import serve

if __name__ == "__main__":
    serve(host=None, port=None, model=None, grader=None, personas=None, data=None)

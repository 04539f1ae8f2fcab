# make run        install what is missing, then open the practice room at http://127.0.0.1:7860
# make test       all quick tests          make test-slow   the others
# make check      lint, format, types      make format      put the code into shape
# make train      how the bundled models are made
# make screenshots  pictures of the page for the README, in docs/images
# make constraints  pin anew what is installed, after pyproject.toml has changed

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# With it set, every start would compile all libraries again: some 20 seconds instead of 5.
unexport PYTHONDONTWRITEBYTECODE
# Nothing here needs the network once it is installed; a model is downloaded only when it is asked for by name.
export HF_HUB_OFFLINE ?= 1

.PHONY: install run test test-slow check format train screenshots constraints clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or newer is needed; $(PYTHON) is: $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make install PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || { echo "Making $(VENV) ..."; $(PYTHON) -m venv $(VENV); } || { \
	  echo "python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the program and its tests' tools into $(VENV): about 2 GB on disk, 2 to 7 minutes ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(STAMP)
	@echo "Installed. Next: make run"

run: install
	@$(BIN)/roleplay serve

test: install
	@echo "Running the quick tests (a few minutes on two cores; make test-slow runs the others) ..."
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-2} $(BIN)/python -m pytest -m "not slow" $(ARGS)

test-slow: install
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-2} $(BIN)/python -m pytest -m slow $(ARGS)

check: install
	@echo "Checking lint, format and types (under a minute) ..."
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: install
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

train: install
	@echo "The bundled models are made from the texts in roleplay/training/corpus/, each by a recipe of its own:"
	@for recipe in matching reader grader aims customer speakers; do echo "  $(BIN)/python -m roleplay.training.$$recipe --help"; done
	@echo "How long each takes and how good it became stands in its card, roleplay/bundled/*/README.md."

screenshots: install
	@$(BIN)/python tests/screenshots.py docs/images

# Torch's local label (+cpu) is cut, so that the pin fits the wheels of every source.
constraints: install
	@{ echo "# Every package of a working installation, exactly; reasons for the direct ones stand in pyproject.toml."; \
	   echo "# Written by: make constraints"; \
	   $(BIN)/python -m pip freeze --exclude-editable | sed 's/^\(torch==[0-9.]*\)+.*/\1/'; } > constraints.new
	@mv constraints.new constraints.txt
	@git --no-pager diff --stat -- constraints.txt

clean:
	@rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis

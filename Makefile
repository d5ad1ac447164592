# The two commands of the README, and what CI runs. Needs Python 3.11 to 3.13 and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SET_UP := pyproject.toml constraints.txt
# pip is quiet unless something is wrong; what set-up says goes to standard error, so that a piped chat prints replies alone.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --constraint constraints.txt

.PHONY: chat test check format messages bench clean

chat: $(VENV)/.installed
	@$(BIN)/banter chat $(CHAT)

test: $(VENV)/.installed-test
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile $(TESTS)

check: $(VENV)/.installed-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-check
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

# What the program says to people, gathered for the translators (core/locales/*.po), and compiled again.
messages: $(VENV)/.installed
	@mkdir -p build
	@$(BIN)/pybabel -q extract --no-default-keywords -k marked -k tell -k say:2 --ignore-dirs=generation \
		--no-location --sort-output --no-wrap --project=Banter --output=build/banter.pot core bots/slack_texts.py bots/discord_texts.py
	@$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --no-wrap \
		--domain=banter --input-file=build/banter.pot --output-dir=core/locales
	@$(BIN)/pybabel -q compile --domain=banter --directory=core/locales

bench: $(VENV)/.installed-test
	@$(BIN)/python -m benchmarks.start
	@$(BIN)/python -m benchmarks.recall
	@$(BIN)/python -m benchmarks.walk
	@$(BIN)/python -m benchmarks.queue
	@$(BIN)/python -m benchmarks.lag
	@$(BIN)/python -P -m benchmarks.engine $(BENCH)

clean:
	rm -rf $(VENV)

$(VENV)/.installed: $(SET_UP) | $(BIN)/python
	@echo "Installing Banter into $(VENV) (a few minutes the first time) …" >&2
	@$(PIP) --editable . </dev/null >&2
	@touch $@

$(VENV)/.installed-test: $(SET_UP) | $(VENV)/.installed
	@echo "Installing what the tests need …" >&2
	@$(PIP) --editable '.[test,bench]' </dev/null >&2
	@touch $@

$(VENV)/.installed-check: $(SET_UP) | $(VENV)/.installed-test
	@echo "Installing what the checks need …" >&2
	@$(PIP) --editable '.[test,bench,check]' </dev/null >&2
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
		{ echo "error: Banter needs Python 3.11, 3.12 or 3.13; name one: make chat PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) >&2 || { rm -rf $(VENV); \
		echo "error: $(PYTHON) can't make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

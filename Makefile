# Two commands: `make train` (set-up and the main job) and `make test` (set-up and the tests). Everything installs into .venv/.
PYTHON ?= python3
BIN := .venv/bin
RUN := runs/execution-$(shell date +%Y%m%d-%H%M%S)

.PHONY: train test test-slow proof check clean

train: .venv/core
	$(BIN)/python -m train run configs/train/execution.yaml --out $(RUN)

test: .venv/dev
	$(BIN)/python -m pytest -n 2 -m "not slow and not gpu" tests

test-slow: .venv/dev
	$(BIN)/python -m pytest -m "slow and not gpu" tests

# Must hold: 10,000 random streams of 400 messages, three books, compared after every message.
proof: .venv/dev
	$(BIN)/python -m pytest -m slow tests/book/test_parity.py

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

.venv/core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("error: python3 is older than 3.11; set PYTHON to a newer one: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv

# Two commands: `make train` (set-up and the main job) and `make test` (set-up and the tests). Everything installs into .venv/.
PYTHON ?= python3
BIN := .venv/bin
NOW := $(shell date +%Y%m%d-%H%M%S)
RUN := runs/execution-$(NOW)
RECORDS := runs/gpu-$(NOW)
DAY ?= $(wildcard ../shared/data/lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip)
KERNEL ?= $(lastword $(sort $(wildcard bench/records/*/kernel-compile.jsonl)))

.PHONY: train test test-slow wheel docs proof conformance check kernel-compile gpu-check clean

train: .venv/core
	$(BIN)/python -m train run configs/train/execution.yaml --out $(RUN)

test: .venv/dev
	$(BIN)/python -m pytest -n 2 -m "not slow and not gpu" tests

test-slow: .venv/dev
	$(BIN)/python -m pytest -m "slow and not gpu" tests

# A source archive and a wheel from it, installed in an empty environment in another folder, where it trains and loads an agent.
wheel: .venv/dev
	$(BIN)/python -m pytest -m slow tests/test_wheel.py

# The pages of docs/ with an API reference, into docs/_build/; a link or name that is not there is an error.
docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

# Must hold: 10,000 random streams of 400 messages, three books, compared after every message.
proof: .venv/dev
	$(BIN)/python -m pytest -m slow tests/book/test_parity.py

# For people who doubt: a million messages through each CPU engine and as many as time allows through the GPU kernel in its interpreter,
# compared with the reference after every message. A long run: bench conformance --books 100000 --messages 2000 --ends (1e9 messages).
conformance: .venv/dev
	$(BIN)/python -m bench conformance --engines host,xla --books 100 --messages 2000
	$(BIN)/python -m bench conformance --engines kernel --books 40 --messages 200 --seed 1

# The GPU kernels as compiled for an H200 by XLA, on a machine without one, and run instruction by instruction against the reference.
kernel-compile: .venv/plugin
	$(BIN)/python -m bench kernel-compile --target bench/targets/h200.txtpb --plugins .venv/cuda $(if $(OUT),--out $(OUT))

# On a machine with an NVIDIA GPU: parity there, then the benchmarks, into one folder of records.
gpu-check: .venv/gpu
	$(BIN)/python -m bench gpu-check --out $(RECORDS) $(if $(DAY),--data $(DAY)) $(if $(KERNEL),--kernel-record $(KERNEL))

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

.venv/docs: .venv/core
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

# XLA's compiler for NVIDIA GPUs, of this JAX's version, in a folder of its own so that JAX elsewhere stays as it is.
.venv/plugin: .venv/core
	rm -rf .venv/cuda && V=$$($(BIN)/python -c 'import jax; print(jax.__version__)') && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv/cuda jax-cuda13-plugin==$$V jax-cuda13-pjrt==$$V
	@touch $@

.venv/gpu: .venv/dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[cuda,dev]'
	@touch $@

clean:
	rm -rf .venv

# `make` alone lists what there is. Every target sets up ./.venv by itself.
PYTHON ?= python3
# ENVIRONMENT=DIR takes an environment that is there, as it is, in place of ./.venv.
VENV   := $(or $(ENVIRONMENT),.venv)
BIN    := $(VENV)/bin
READY  := $(if $(ENVIRONMENT),,$(VENV)/.ready)
RAPIDS := $(VENV)/rapids-api
PYTEST_ARGS ?=
FUZZ_SECONDS ?= 600
BENCH_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-thorough test-ray test-gpu gpu-smoke chaos soak fuzz bad-input check audit format bench bench-gpu wheel clean

help: ## Print this list
	@echo "Targets (PYTHON=$(PYTHON) makes the virtual environment):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make ./.venv with the pinned development environment

ifndef ENVIRONMENT
# Made again when what it holds may have changed.
$(READY): pyproject.toml constraints.txt rapids-api.txt
	@$(PYTHON) -c 'import sys; sys.exit("gpucurate needs Python 3.11 or newer, this is %s: make PYTHON=python3.11 ..." % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "Setting up $(VENV) (first time: a minute or two)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@rm -rf $(RAPIDS)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-compile --only-binary :all: --target $(RAPIDS) --requirement rapids-api.txt \
	  || { rm -rf $(RAPIDS); echo "rapids-api.txt cannot be fetched here: the tests that read it are skipped"; }
	@touch $(READY)
	@echo "$(VENV) is ready"
endif

demo: $(READY) ## Deduplicate real text found on this machine and show what was found
	@$(BIN)/python examples/dedup_this_machine.py

test: $(READY) ## Run the tests (PYTEST_ARGS="-k minhash" narrows them)
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-thorough: $(READY) ## Run the tests with ten times the examples and all variants, then test-ray
	@HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory test-ray

chaos: $(READY) ## Kill runs at every named place and at any time, fail every call, lose power: an hour at most
	@$(BIN)/python -m tests.chaos.crash_run $(CHAOS_ARGS)

test-ray: $(READY) ## Run the tests that start clusters of Ray, and all executors on it, some minutes
	@$(BIN)/python -m pytest --ray tests/ray tests/security/test_listening.py $(PYTEST_ARGS)
	@$(BIN)/python -m pytest --ray tests/conformance $(PYTEST_ARGS)

test-gpu: $(READY) ## Run the tests on a CUDA device; fails where there is none
	@$(BIN)/python -m pytest --device cuda $(PYTEST_ARGS)

gpu-smoke: $(READY) ## Compile every kernel on a CUDA device and run its smoke check
	@$(BIN)/python -m pytest --device cuda tests/gpu $(PYTEST_ARGS)

soak: $(READY) ## The same runs again and again: does anything grow, or stay behind? (SOAK_MINUTES=30)
	@mkdir -p .bench
	@$(BIN)/python -m tests.soak.soak --output .bench/soak.json $(SOAK_ARGS)

check: $(READY) ## Everything that must hold before a commit: style, types, layers, tests
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if test -d $(RAPIDS); then MYPYPATH=$(RAPIDS) $(BIN)/mypy --config-file tests/rapids/mypy.ini -p gpucurate.frame -p gpucurate.memory; else echo "No check of types against RAPIDS: $(RAPIDS) is not there"; fi
	@$(BIN)/lint-imports
	@$(BIN)/bandit -q -r gpucurate -c pyproject.toml
	@$(MAKE) --no-print-directory test

audit: $(READY) ## Ask whether known holes are in the packages of constraints.txt
	@.ci/audit $(BIN)/pip-audit $(AUDIT_ARGS)

format: $(READY) ## Put the sources into the house's format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bad-input: $(READY) ## Read the classes of input that are large too: 2 GB lines, a million files
	@$(BIN)/python -m pytest --large-input tests/input_classes $(PYTEST_ARGS)

fuzz: ## Fuzz what reads bytes, FUZZ_SECONDS=600 for each entry, in ./.venv-fuzz
	@test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	@set -e; for entry in json_lines columns state words; do echo "== $$entry"; \
	  .venv-fuzz/bin/python -m tests.fuzz.atheris_main $$entry -max_total_time=$(FUZZ_SECONDS) -timeout=60 -max_len=8192 -rss_limit_mb=6000 -print_final_stats=1; done

bench: $(READY) ## Run the benchmarks (some minutes)
	@set -e; for bench in benchmarks/bench_*.py; do echo "== $$bench"; $(BIN)/python "$$bench"; done

bench-gpu: $(READY) ## Measure on a CUDA device, under 8 minutes (BENCH_ARGS="--only kernels" narrows it)
	@$(BIN)/python -m benchmarks.gpu.bench_gpu --output .bench/gpu.json $(BENCH_ARGS)

wheel: $(READY) ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean: ## Remove what the targets made, ./.venv excepted
	@rm -rf build dist demo-data demo-output .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

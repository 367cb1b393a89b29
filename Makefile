.DEFAULT_GOAL := help
# Through the environment, so that no name of a file is read as a command.
export VIDEO FILTER SIZE ALGORITHMIA
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
PYTHON := .venv/bin/python
WITH_TOOLS = mkdir -p .cache/tmp && PATH="$(CURDIR)/.venv/bin:$$PATH" TMPDIR="$(CURDIR)/.cache/tmp"
LOCK := .cache/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header

.PHONY: help demo up down up-cluster down-cluster check test test-slow test-train test-cluster test-chaos test-compose
.PHONY: bench bench-painters bench-growth previews api lock clean setup setup-dev setup-train setup-fleet

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup ## Paint a short clip and show where it is; VIDEO=my.mov FILTER=name SIZE=360p paint your own
	@$(PYTHON) -m tools.demo --video "$$VIDEO" --filter "$$FILTER" --size "$$SIZE"

up: setup ## Start Airflow with its web UI; ALGORITHMIA=1 the bundled Algorithmia server beside it
	@$(PYTHON) -m tools.local up

down: ## Stop Airflow
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tools.local down; fi

up-cluster: setup-fleet ## Start it as on many machines: Celery on Redis, PostgreSQL, S3, a worker for each queue
	@$(PYTHON) -m tools.cluster up

down-cluster: ## Stop that
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tools.cluster down; fi

test: setup-dev ## Run the tests (some 10 minutes on 2 cores)
	@$(WITH_TOOLS) $(PYTHON) -m pytest -n 2 --dist loadgroup

test-slow: setup-dev ## Run the longer tests: the whole corpus of videos, damaged in every way (up to an hour)
	@$(WITH_TOOLS) $(PYTHON) -m pytest -n auto --dist loadgroup -m 'slow and not cluster'

test-train: setup-dev setup-train ## Run the tests of training and GPUs, with PyTorch
	@$(WITH_TOOLS) $(PYTHON) -m pytest -m train

test-cluster: setup-dev setup-fleet ## Run a request on the cluster of `make up-cluster`, and kill what paints
	@$(WITH_TOOLS) $(PYTHON) -m pytest -m 'cluster and not slow' tests/chaos

test-chaos: setup-dev setup-fleet ## Try every fault on that cluster, and print the matrix of docs/scaling.md (some 20 minutes)
	@$(WITH_TOOLS) $(PYTHON) -m pytest -m cluster tests/chaos

test-compose: setup-dev ## Start docker-compose.yaml for real, with docker or podman, and have it paint
	@$(WITH_TOOLS) PYTHONPATH=. $(PYTHON) -m tests.compose.run

check: setup-dev ## Lint, types and layers
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy include/rotoscope include/algorithmia_server plugins/video plugins/object_store plugins/algorithmia plugins/rotoscope_api plugins/rotoscope_batches plugins/rotoscope_preload dags tools benchmarks deploy
	@PYTHONPATH=include:plugins .venv/bin/lint-imports --no-cache
	@.venv/bin/cfn-lint deploy/aws/one-machine.yaml deploy/aws/workers.yaml
	@PATH="$(CURDIR)/.venv/bin:$$PATH" tests/clients/node_modules/.bin/spectral lint --fail-severity warn -q -r .spectral.yaml include/api/openapi.json

bench: setup-dev ## Measure speed, overhead and memory; prints ratios (some 15 minutes)
	@$(WITH_TOOLS) $(PYTHON) -m benchmarks.run

bench-painters: setup-dev setup-fleet ## Measure how much faster two workers paint than one (some 20 minutes)
	@$(WITH_TOOLS) $(PYTHON) -m benchmarks.painters

bench-growth: setup-dev setup-fleet ## Measure what very many tasks do to scheduler and database (some 40 minutes)
	@$(WITH_TOOLS) $(PYTHON) -m benchmarks.growth.run

previews: setup ## Paint the built-in filters' previews and docs/filters.md anew
	@$(PYTHON) -m tools.previews

api: setup-dev ## Write the API's OpenAPI document and Postman collection anew
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) -m tools.api_documents

lock: setup ## Write the locked requirements anew from the .in files
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-dev.in -o requirements-dev.txt
	@$(LOCK) requirements-train.in -o requirements-train.txt
	@$(LOCK) requirements-fleet.in -o requirements-fleet.txt
	@$(LOCK) --no-deps requirements-demo.in -o requirements-demo.txt
	@$(LOCK) --no-deps requirements-ffmpeg.in -o requirements-ffmpeg.txt

clean: down ## Remove everything that was made here, but for the folder store/
	@if [ -x $(PYTHON) ]; then $(PYTHON) -m tools.cluster forget; fi
	@rm -rf .venv .cache .airflow .mypy_cache .pytest_cache .ruff_cache

setup: ## Make .venv and bring ffmpeg; every target does it where needed
	@tools/setup.sh run

setup-train: setup ## Add PyTorch, to train filters and to paint on a GPU
	@tools/setup.sh train

setup-fleet: setup
	@tools/setup.sh fleet

setup-dev:
	@tools/setup.sh dev

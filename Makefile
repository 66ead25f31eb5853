# Everything from nothing but Python 3.11 and a package index.
#   make demo    benchmark the embedded model, fine-tune it, benchmark it again, compare; writes site/index.html
#   make test    the whole test suite        make check   ruff, mypy --strict, import-linter, audit
PYTHON ?= python3.11
VENV   ?= .venv
LIMIT  ?=
STEPS  ?=
# Processes that run tests, a file at a time each.
JOBS   ?= 2
FIRST   = $(if $(LIMIT),--limit $(LIMIT))
ASKED   = --dataset builtin --schema compact --max-new-tokens 160 --out runs/demo
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKS  := $(wildcard requirements/*.txt)
READY  := $(VENV)/.ready
CHROME := $(VENV)/.chromium

.PHONY: demo test check lock soak clean
.DELETE_ON_ERROR:

# Every file is checked by its sha256, and nothing is looked for beyond the lists: the build backend is in core.txt. Where the
# index offers no CPU build of torch, as PyPI does not, it is PyPI's own with its CUDA libraries.
$(READY): pyproject.toml $(LOCKS)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --no-deps -r requirements/torch-cpu.txt 2>$(VENV)/torch.log || { \
	    grep -q 'No matching distribution' $(VENV)/torch.log || { cat $(VENV)/torch.log; exit 1; }; \
	    $(PIP) install --no-deps -r requirements/torch.txt; } >&2
	$(PIP) install --no-deps -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	$(PIP) check
	@touch $(READY)

# The tests of the site need a browser, and skip with a reason without one: installed where that is ours to do.
$(CHROME): $(READY)
	@if { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	    export DEBIAN_FRONTEND=noninteractive; \
	    apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 || \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || \
	    echo "Chromium could not be installed: tests/browser will skip."; \
	else echo "No Chromium here: tests/browser will skip."; fi >&2
	@touch $(CHROME)

demo: $(READY)
	$(BIN)/sqlgauge run --model gold --dataset builtin --out runs/demo $(FIRST)
	$(BIN)/sqlgauge run --model builtin/smollm2-135m $(ASKED) --name base$(LIMIT) $(FIRST)
	$(BIN)/sqlgauge finetune demo --out runs/adapters --name demo$(STEPS) $(if $(STEPS),train.steps=$(STEPS))
	$(BIN)/sqlgauge run --model builtin/smollm2-135m+runs/adapters/demo$(STEPS) --merge-adapter $(ASKED) --name tuned$(LIMIT) $(FIRST)
	$(BIN)/sqlgauge report runs/demo --out site
	$(BIN)/sqlgauge compare runs/demo/base$(LIMIT) runs/demo/tuned$(LIMIT) --out site/compare.html

test: $(READY) $(CHROME)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python requirements/audit.py $(AUDIT)

# Writes the lock files anew, with the versions that they have: make lock UPGRADE=--upgrade takes the newest.
lock:
	$(PYTHON) -m venv --clear $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements/uv.txt
	$(VENV)/lock/bin/python requirements/lock.py $(UPGRADE)
	rm -rf $(VENV)/lock

# 40 kills at random moments, then fuzzing for SQLGAUGE_SOAK_SECONDS in all: 3600 is the long way.
soak: export SQLGAUGE_KILLS ?= 40
soak: export SQLGAUGE_SOAK_SECONDS ?= 300
soak: $(READY)
	$(BIN)/python -m pytest -rP --timeout 0 tests/reliability/test_kill_anywhere.py tests/reliability/test_fuzz.py

clean:
	rm -rf $(VENV) build dist runs/demo runs/adapters site

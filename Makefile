# Everything from nothing but Python 3.11 and a package index.
#   make demo    benchmark the embedded model, fine-tune it, benchmark it again, compare; writes site/index.html
#   make test    the whole test suite        make check   ruff, mypy --strict, import-linter
PYTHON ?= python3.11
VENV   ?= .venv
LIMIT  ?=
STEPS  ?=
FIRST   = $(if $(LIMIT),--limit $(LIMIT))
ASKED   = --dataset builtin --schema compact --max-new-tokens 160 --out runs/demo
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
CHROME := $(VENV)/.chromium

.PHONY: demo test check soak clean
.DELETE_ON_ERROR:

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,hf,finetune]'
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
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# 40 kills at random moments, then fuzzing for SQLGAUGE_SOAK_SECONDS in all: 3600 is the long way.
soak: export SQLGAUGE_KILLS ?= 40
soak: export SQLGAUGE_SOAK_SECONDS ?= 300
soak: $(READY)
	$(BIN)/python -m pytest -rP --timeout 0 tests/reliability/test_kill_anywhere.py tests/reliability/test_fuzz.py

clean:
	rm -rf $(VENV) build dist runs/demo runs/adapters site

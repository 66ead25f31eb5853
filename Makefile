# Everything from nothing but Python 3.11 and a package index.
#   make demo    benchmark the embedded model on the embedded test split, and write site/index.html
#   make test    the whole test suite        make check   ruff, mypy --strict, import-linter
PYTHON ?= python3.11
VENV   ?= .venv
LIMIT  ?=
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: demo test check clean
.DELETE_ON_ERROR:

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,hf,finetune]'
	@touch $(READY)

demo: $(READY)
	$(BIN)/sqlgauge run --model gold --dataset builtin --out runs/demo $(if $(LIMIT),--limit $(LIMIT))
	$(BIN)/sqlgauge run --model builtin/smollm2-135m --dataset builtin --out runs/demo --max-new-tokens 160 $(if $(LIMIT),--limit $(LIMIT))
	$(BIN)/sqlgauge report runs/demo --out site

test: $(READY)
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist runs/demo site

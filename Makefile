# make demo    install into .venv and sketch the bundled drawings
# make test    install everything the tests need, then run all tests
# make bench   measure speed and memory beside the original's way
# make lint    formatting, lint, types

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet

.PHONY: demo test bench lint system clean

demo: $(VENV)/installed
	$(VENV)/bin/sketchgan sketch examples/drawings -o demo --overwrite --sheet demo/sheet.png
	@echo "The sketches are in $(CURDIR)/demo, all of them side by side in $(CURDIR)/demo/sheet.png"

test: $(VENV)/installed-dev system
	$(PYTHON) -m pytest

bench: $(VENV)/installed-dev
	$(PYTHON) bench/sketchai_vs_residual.py

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

$(VENV)/installed: pyproject.toml
	python3 -m venv $(VENV)
	$(PIP) install -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install -e '.[dev]'
	touch $@

# The pencil strokes of training pairs are libmypaint's, which no Python package carries.
system:
	@$(PYTHON) -c 'from training.synthesis import mypaint, pencil; mypaint.library(); mypaint.find_preset(pencil.BRUSH)' 2>/dev/null \
		|| sh tests/install_libmypaint.sh

clean:
	rm -rf $(VENV) demo

# make demo    install into .venv and sketch the bundled pictures and drawings
# make test    install everything the tests need, then run all tests
# make comfyui start a ComfyUI with this package in it and print its address
# make bench   measure speed and memory, beside the original's way and what was aimed at: bench/README.md
# make study   compare ways to train on 42 pairs, three quarters of an hour: docs/study
# make fuzz    throw 10,000 mutated inputs at everything that reads
# make gallery draw docs/gallery with the bundled pencil, beside what else there is
# make lint    formatting, lint, types

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(VENV)/bin/pip --disable-pip-version-check --quiet

.PHONY: demo test comfyui bench study fuzz gallery lint system clean

demo: $(VENV)/installed
	$(VENV)/bin/sketchgan sketch examples/pictures examples/drawings -o demo --overwrite --sheet demo/sheet.png
	@echo "The sketches are in $(CURDIR)/demo, all of them side by side in $(CURDIR)/demo/sheet.png"

test: $(VENV)/installed-dev $(VENV)/installed-host $(VENV)/installed-browser system
	$(PYTHON) -m pytest

comfyui: $(VENV)/installed $(VENV)/installed-host
	$(PYTHON) tests/comfyui.py

# The benchmarks import the checkout as the tests do.
bench study: export PYTHONPATH := $(CURDIR)

bench: $(VENV)/installed-dev $(VENV)/installed-host
	$(PYTHON) bench/sketchai_vs_residual.py
	$(PYTHON) bench/sketchai_vs_residual.py --size 4096
	$(PYTHON) bench/parts.py
	$(PYTHON) bench/host_start.py
	$(PYTHON) bench/lines.py
	$(PYTHON) bench/large.py
	$(PYTHON) bench/reading.py
	$(PYTHON) bench/training_speed.py
	$(PYTHON) bench/table.py

study: $(VENV)/installed-dev system
	$(PYTHON) bench/study.py

fuzz: $(VENV)/installed-dev
	$(PYTHON) -m tests.fuzz

gallery: $(VENV)/installed
	PYTHONPATH=. $(PYTHON) docs/gallery/draw.py

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	# The nodes are part of the package that ComfyUI makes of this folder, whatever it is called.
	mkdir -p .cache/typing && ln -sfn ../.. .cache/typing/sketchgan
	cd .cache/typing && $(CURDIR)/$(VENV)/bin/mypy --config-file $(CURDIR)/pyproject.toml -m sketchgan -p sketchgan.nodes

$(VENV)/installed: pyproject.toml
	python3 -m venv $(VENV)
	$(PIP) install -e .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) install -e '.[dev]'
	touch $@

# ComfyUI itself is fetched by tests/comfyui.py, when it is first wanted.
$(VENV)/installed-host: $(VENV)/installed tests/host/requirements.txt tests/host/requirements-nodeps.txt
	$(PIP) install -r tests/host/requirements.txt
	$(PIP) install --no-deps -r tests/host/requirements-nodeps.txt
	touch $@

$(VENV)/installed-browser: $(VENV)/installed-host tests/browser/requirements.txt tests/install_new_frontend.sh
	$(PIP) install -r tests/browser/requirements.txt
	sh tests/install_new_frontend.sh $(PYTHON)
	touch $@

# What no Python package carries: libmypaint, which draws the training pairs, and a browser.
system:
	@$(PYTHON) -c 'from training.synthesis import mypaint, pencil; mypaint.library(); mypaint.find_preset(pencil.BRUSH)' 2>/dev/null \
		|| sh tests/install_libmypaint.sh
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || sh tests/install_chromium.sh

clean:
	rm -rf $(VENV) demo

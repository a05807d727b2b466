# Everything runs from .venv, which each target makes or completes by itself.

BIN := .venv/bin
BUDGET ?= 240
# The demonstration reads the project's own Markdown and commit messages.
DEMO_TEXT = $(wildcard *.md docs) $(patsubst %/,%,$(wildcard .git/))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; \
	then echo $$python; break; fi; done)
# What pip fetches, how large it is, and how much that makes; not where from, which pip's settings say.
install = { $(BIN)/python -m pip install --disable-pip-version-check --progress-bar=off $(1) || echo failed; } | { \
	sum=0; while read -r doing file size unit; do case "$$doing $$file $$unit" in \
		'failed  ') exit 1;; \
		'Downloading '*' MB)') size=$${size\#(} sum=$$((sum + $${size%.*})) file=$${file\#\#*/}; \
			echo "  $${file%%-*} ($$size MB; $$sum MB so far)";; \
		'Installing collected '*) echo '  Unpacking what was fetched';; \
	esac; done; }

# Processes with one thread for numpy, as in the program, of which tests/conftest.py says how many; the tests of a file
# share one, and what that has made for them. Some hundred programs are started, which are compiled once, whatever is set.
TESTS = PYTHONDONTWRITEBYTECODE= OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help link start stop test check bench deb release clean

help:
	@echo 'make start                the demonstration: read this project, learn, show what that brings (in .demo/)'
	@echo 'make start TEXT=path      the same with your own text (file or folder), in your profile'
	@echo '           BUDGET=240     longest time for the training round, in seconds'
	@echo 'make stop                 end the services that "make start" started'
	@echo 'make test                 run the tests'
	@echo 'make check                lint, types, documents, tests'
	@echo 'make bench                measure what docs/measuring.md tells'
	@echo 'make deb                  build the Debian package in dist/'
	@echo 'make release              build all that is published in dist/, with checksums'
	@echo 'make clean                remove what these targets made here; your profile stays'

$(BIN)/python:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'idiolect needs Python 3.11 or newer, with its venv module. On Debian: apt install python3-venv' >&2; \
		exit 1; \
	fi
	@$(PYTHON) -m venv .venv

.venv/.start: pyproject.toml | $(BIN)/python
	@echo 'Installing idiolect and what it needs into .venv'
	@$(call install,-e .)
	@touch $@

.venv/.test: pyproject.toml | $(BIN)/python
	@echo 'Installing idiolect and what its tests need into .venv'
	@$(call install,-e '.[test]')
	@touch .venv/.start $@

.venv/.check: .venv/.test
	@$(call install,-e '.[check]')
	@touch $@

# The program by its name, where nothing else has that.
LINK = $(HOME)/.local/bin/idiolect

link: .venv/.start
	@if [ ! -e '$(LINK)' ] && [ ! -L '$(LINK)' ]; then \
		mkdir -p '$(dir $(LINK))' && ln -s '$(CURDIR)/$(BIN)/idiolect' '$(LINK)' && \
		echo 'Linked $(LINK) to this installation; make clean takes the link away'; \
	fi

start: link
ifeq ($(origin TEXT),command line)
	@$(BIN)/idiolect start "$$TEXT" --budget '$(BUDGET)'
else
	@mkdir -p .demo
	@test -f .demo/config.toml || echo 'keyring = false' > .demo/config.toml
	@IDIOLECT_HOME=.demo $(BIN)/idiolect start $(DEMO_TEXT) --me '*' --budget '$(BUDGET)'
endif

stop:
	@if [ -x $(BIN)/idiolect ]; then \
		export COLUMNS=9999; said=$$($(BIN)/idiolect stop) || exit; \
		if [ -d .demo ]; then demo=$$(IDIOLECT_HOME=.demo $(BIN)/idiolect stop) || exit; fi; \
		printf '%s\n' "$$said" "$$demo" | grep '^Stopped' || echo 'No service runs.'; \
	else echo 'No service runs.'; fi

test: .venv/.test
	@$(TESTS) $(ARGS)

check: .venv/.check
	@mkdir -p .types && ln -sfn .. .types/idiolect
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/cog --check --diff README.md CONTRIBUTING.md $(wildcard docs/*.md)
	@$(TESTS) $(ARGS)

bench: .venv/.test
	@$(BIN)/python tests/bench/run.py $(ARGS)

deb: .venv/.test
	@$(BIN)/python .ci/debian/build.py

release: deb
	@$(BIN)/python -W ignore .ci/release.py > /dev/null && cat dist/SHA256SUMS

clean:
	@if [ "$$(readlink '$(LINK)')" = '$(CURDIR)/$(BIN)/idiolect' ]; then rm '$(LINK)'; fi
	@if [ -x $(BIN)/idiolect ] && [ -d .demo ]; then IDIOLECT_HOME=.demo $(BIN)/idiolect stop; fi
	@rm -rf .demo .venv .types .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

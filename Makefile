VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
.PHONY: install install-test run test check mutants bench clean

install: $(VENV)/.installed
run: install
	$(BIN)/quizmill up

$(VENV)/.installed: pyproject.toml constraints.txt
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

install-test: $(VENV)/.installed-test
$(VENV)/.installed-test: pyproject.toml constraints.txt tests/package-lock.json $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	$(BIN)/python -m tests.browser --install
	$(BIN)/python -m tests.programs --install
	touch $@

test: install-test
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

check: install-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/test_architecture.py tests/test_docs.py

# Planted mistakes, each in a copy of the tree: the tests that must notice it are run there.
mutants: install-test
	$(BIN)/python -m tests.mutants

bench: install-test
	$(BIN)/python -m bench.first_run
	$(BIN)/python -m bench.checkpoints
	$(BIN)/python -m bench.quality
	$(BIN)/python -m bench.dispatch
	$(BIN)/python -m bench.stream
	$(BIN)/python -m bench.page

# Hours: all failpoint cases, 2,000 sequences of steps, 10,000 simulated seeds, 1,000 clients under fire, SOAK_COUNT
# kills of each kind (docs/reliability.md). The same SOAK_SEED does the same.
SOAK_COUNT ?= 200
SOAK_SEED ?= $(shell date +%s)
.PHONY: soak
soak: install-test
	QUIZMILL_SOAK=1 $(BIN)/python -m pytest tests/faults tests/properties tests/simulation
	for site in sqlite postgres; do $(BIN)/python -m tests.faults.streams --database $$site --seed $(SOAK_SEED) || exit 1; done
	for site in sqlite:worker sqlite:service sqlite:valkey sqlite:all \
	  postgres:worker postgres:service postgres:valkey postgres:postgres postgres:all; do \
	  $(BIN)/python -m tests.faults.kills --database $${site%:*} --kind $${site#*:} \
	    --count $(SOAK_COUNT) --seed $(SOAK_SEED) || exit 1; \
	done

clean:
	rm -rf $(VENV) build *.egg-info

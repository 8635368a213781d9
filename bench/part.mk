# What Faultlayer costs, beside its peers, and the instruction counts that a change is held to. Included by the root Makefile, run
# from the root.

NEEDS_instructions := valgrind

.PHONY: prepare-bench bench prepare-instructions test-instructions instructions lint-bench bench-table

prepare-bench: check-tools cli setup-python $$(call here,layers) $$(if $$(call lacks,node),,tools-node)

# Every row, beside its peers: bench/results.json. Some fifteen minutes on a quiet machine.
bench: prepare-bench
	python3 bench/run.py --out bench/results.json

# One row; `python3 bench/run.py --help` names them.
bench-%: prepare-bench
	python3 bench/run.py --out bench/results.json $*

# The README's table and chart of the results that are there.
bench-table:
	.cache/bench/python/bin/python bench/table.py bench/results.json README.md docs/speed.svg
	.cache/python/venv/bin/mdformat README.md

prepare-instructions: $$(call here,layers)
	python3 bench/instructions/count.py --prepare

# Skipped by name where valgrind is not there, or where another compiler made the counts.
test-instructions: $(call unprepared,instructions)
	cd bench/instructions && python3 -m unittest --quiet
	python3 bench/instructions/count.py

# Keeps the counts of now; read the difference before you keep it.
instructions: prepare-instructions
	python3 bench/instructions/count.py --update

lint-bench: .cache/python/venv/.ready
	$(PYTHON_BIN)/ruff check --quiet --config bench/pyproject.toml bench
	$(PYTHON_BIN)/ruff format --quiet --check --config bench/pyproject.toml bench
	cd bench && "$(CURDIR)/$(PYTHON_BIN)/mypy" --no-error-summary

# What Faultlayer costs, beside its peers, and the instruction counts that a change is held to. Included by the root Makefile, run
# from the root.

NEEDS_instructions := valgrind

.PHONY: prepare-instructions test-instructions instructions lint-bench

# In a recipe, since what is here is known only once all parts are read.
prepare-instructions:
	@$(MAKE) --no-print-directory $(call here,layers)
	python3 bench/instructions/count.py --prepare

# Skipped by name where valgrind is not there, or where another compiler made the counts.
test-instructions: $(call unprepared,instructions)
	python3 bench/instructions/count.py

# Keeps the counts of now; read the difference before you keep it.
instructions: prepare-instructions
	python3 bench/instructions/count.py --update

lint-bench: .cache/python/venv/.ready
	$(PYTHON_BIN)/ruff check --quiet --config bench/pyproject.toml bench
	$(PYTHON_BIN)/ruff format --quiet --check --config bench/pyproject.toml bench
	cd bench && "$(CURDIR)/$(PYTHON_BIN)/mypy" --no-error-summary places.py instructions/count.py

# The report's page in a real browser: wide and narrow, light and dark, on paper. Included by the root Makefile, run from the root.

PAGE_VENV := .cache/page/venv
PAGE_BIN := $(CURDIR)/$(PAGE_VENV)/bin
NEEDS_page := chromium

.PHONY: test-page lint-page

$(PAGE_VENV)/.ready: tests/page/requirements.txt | check-python
	$(PYTHON) -m venv $(PAGE_VENV)
	$(PAGE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

prepare-page: cli layers-python $(PAGE_VENV)/.ready $$(FUNCTIONS_VENV)/.ready

test-page: $(call unprepared,page)
	cd tests/page && $(RUN_FUNCTIONS) "$(PAGE_BIN)/python" -m pytest -q

lint-page: $(PAGE_VENV)/.ready
	cd tests/page && "$(PAGE_BIN)/ruff" check . && "$(PAGE_BIN)/ruff" format --check . && "$(PAGE_BIN)/mypy"

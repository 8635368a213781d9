# Matching, held to the real event-ruler.

MATCHING_LIBRARY := .cache/matching
MATCHING_PAIRS ?= 3000
MATCHING_SEED ?= 1

NEEDS_matching := javac mvn

.PHONY: test-matching lint-matching matching-long fuzz-matching

$(MATCHING_LIBRARY)/Answers.class: tests/matching/pom.xml tests/matching/Answers.java
	mkdir -p $(MATCHING_LIBRARY)
	mvn --quiet --batch-mode -f tests/matching/pom.xml dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(abspath $(MATCHING_LIBRARY))
	javac -cp '$(MATCHING_LIBRARY)/*' -d $(MATCHING_LIBRARY) tests/matching/Answers.java

prepare-matching: cli $(MATCHING_LIBRARY)/Answers.class

test-matching: $(call unprepared,matching)
	python3 tests/matching/vectors.py --library '$(MATCHING_LIBRARY):$(MATCHING_LIBRARY)/*' -- target/release/faultlayer plan match
	python3 tests/matching/differential.py --library '$(MATCHING_LIBRARY):$(MATCHING_LIBRARY)/*' --seed $(MATCHING_SEED) --pairs $(MATCHING_PAIRS) -- target/release/faultlayer plan match

# With the venv of the Python part.
lint-matching: $(PYTHON_VENV)/.ready
	cd tests/matching && "$(CURDIR)/$(PYTHON_BIN)/ruff" check . && "$(CURDIR)/$(PYTHON_BIN)/ruff" format --check .
	cd tests/matching && "$(CURDIR)/$(PYTHON_BIN)/mypy"

# For hours or minutes without a disagreement: `make matching-long MATCHING_SEED=7`.
matching-long:
	$(MAKE) test-matching MATCHING_PAIRS=100000

# For developers, as `make fuzz-plan`.
fuzz-matching:
	cd fuzz && cargo +nightly fuzz run --features libfuzzer matching

# The lab's own crate: `faultlayer run` and `faultlayer lab` are tested from outside, in tests/run and tests/lab.

.PHONY: test-lab lint-lab

test-lab:
	cargo test --quiet --release -p faultlayer-lab

lint-lab:
	cargo clippy --quiet --release --all-targets -p faultlayer-lab -- -D warnings
	cargo fmt -p faultlayer-lab -- --check

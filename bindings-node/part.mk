# The Node part: the layer, the npm package, their tests. Included by the root Makefile, run from the root.

NODE_DIR := bindings-node
NODE_ARCH := $(shell uname -m)
NODE_LAYER := dist/layers/faultlayer-node-$(LAYER_ARCH).zip
NODE_ADDON := $(NODE_DIR)/native/faultlayer-$(SYSTEM)-$(patsubst x86_64,x64,$(patsubst aarch64,arm64,$(NODE_ARCH))).node
NODE_SOURCES := $(shell find $(NODE_DIR)/src $(NODE_DIR)/lib $(NODE_DIR)/layer core/src network/src -type f) \
	$(NODE_DIR)/Cargo.toml core/Cargo.toml Cargo.toml $(NODE_DIR)/scripts/pack_layer.py
CARGO_TARGET := $(or $(CARGO_TARGET_DIR),target)
NODE_TEST := node --test --test-reporter=spec

NODE_LAYER_ADDON = target/layers/$(LAYER_ARCH)/libfaultlayer_node.so

NEEDS_node := npm

.PHONY: check-node tools-node native-node layers-node package-node test-node lint-node operations-node

check-node:
	@command -v cargo >/dev/null || { echo "missing: Rust (cargo). Get it from https://rustup.rs" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "missing: Node with npm, 20 or newer. Get it from https://nodejs.org" >&2; exit 1; }
	@node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' || { echo "missing: Node 20 or newer, this is $$(node --version)" >&2; exit 1; }

$(NODE_DIR)/node_modules/.ready: $(NODE_DIR)/package.json $(NODE_DIR)/package-lock.json | check-node
	cd $(NODE_DIR) && npm install --no-save --silent --no-audit --no-fund
	@touch $@

tools-node: | check-node
	@$(NODE_DIR)/scripts/tools.sh

dist/layers/faultlayer-node-%.zip: $(NODE_SOURCES) $(LAYER_TOOLS) | check-node
	tools/layer-library faultlayer-node $*
	.cache/zig/bin/python $(NODE_DIR)/scripts/pack_layer.py target/layers/$*/libfaultlayer_node.so $@

layers-node: $(NODE_LAYER)

# The library's addon, for the tests and for `require` from the checkout.
native-node: | check-node
	cargo build --quiet --release -p faultlayer-node
	@mkdir -p $(NODE_DIR)/native
	@cmp -s $(CARGO_TARGET)/release/libfaultlayer_node.$(LIBRARY) $(NODE_ADDON) || { rm -f $(NODE_ADDON); cp $(CARGO_TARGET)/release/libfaultlayer_node.$(LIBRARY) $(NODE_ADDON); }

# The npm package, with the addon that the layer has: it runs wherever GLIBC is 2.26 or newer.
package-node: layers-node
	@mkdir -p $(NODE_DIR)/native && rm -f $(NODE_ADDON) && cp $(NODE_LAYER_ADDON) $(NODE_ADDON)
	cd $(NODE_DIR) && npm pack --silent --pack-destination ../dist

# The tests run what is shipped: the layer's own archive, unpacked as Lambda unpacks it.
prepare-node: tools-node native-node layers-node .cache/aws/venv/.ready $(NODE_DIR)/node_modules/.ready

test-node: $(call unprepared,node)
	rm -rf $(NODE_DIR)/build/opt && mkdir -p $(NODE_DIR)/build/opt
	python3 -m zipfile -e $(NODE_LAYER) $(NODE_DIR)/build/opt
	cd $(NODE_DIR) && $(NODE_TEST) test/*.test.mjs

lint-node: $(NODE_DIR)/node_modules/.ready
	cargo clippy --quiet --release -p faultlayer-node -- -D warnings
	cargo fmt -p faultlayer-node -- --check
	cd $(NODE_DIR) && node_modules/.bin/prettier --check --log-level warn --cache --cache-strategy content --cache-location ../.cache/node/prettier . ../examples/node ../examples/node-dynamodb
	cd $(NODE_DIR) && node_modules/.bin/eslint --max-warnings 0 --cache --cache-strategy content --cache-location ../.cache/node/eslint .

# Which operation a call to a REST service is for, from the newest models; read the difference before you keep it.
operations-node: .cache/aws/venv/.ready
	.cache/aws/venv/bin/python $(NODE_DIR)/scripts/operations.py $(NODE_DIR)/src/operations/table.txt

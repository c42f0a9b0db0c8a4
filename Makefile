# One command each: demo, test, check, bench. Each does all of its own set-up.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

PYTHON ?= python3
BIN := .venv/bin
ENGINE := agent/engine
RUST_SOURCES := $(shell find $(ENGINE)/src -name '*.rs') $(ENGINE)/Cargo.toml $(ENGINE)/Cargo.lock
WEB := ui/web
# npm, if there is one with a Node.js that builds the web view (20.19 or newer)
NPM := $(shell node -e '[a, b] = process.versions.node.split(".").map(Number); process.exit(a * 100 + b < 2019 ? 1 : 0)' 2> /dev/null && command -v npm)
WEB_SOURCES := $(shell find $(WEB)/src $(WEB)/public -type f) $(WEB)/index.html $(WEB)/vite.config.ts
PY := tapper agent ui tests bench tools
FUZZ_SECONDS ?= 20
# 0: another one each time
FUZZ_SEED ?= 0

LOCK := uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal \
	--python-version 3.11

.PHONY: build demo test check bench fuzz format lock image clean

build: .venv/engine.stamp $(WEB)/dist/index.html ## the working command at .venv/bin/tapper

.venv/packages.stamp: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tapper needs Python 3.11 or newer: set PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/engine.stamp: .venv/packages.stamp pyproject.toml $(RUST_SOURCES)
	@command -v cargo > /dev/null || { echo "tapper's engine is written in Rust: install a toolchain (1.88 or newer), see rustup.rs"; exit 1; }
	PATH="$(CURDIR)/$(BIN):$$PATH" MATURIN_PEP517_ARGS=--locked $(BIN)/python -m pip install --quiet \
		--disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(WEB)/node_modules/.stamp: $(WEB)/package-lock.json
	$(if $(NPM),cd $(WEB) && $(NPM) ci --no-audit --no-fund --loglevel=error && touch node_modules/.stamp)

$(WEB)/dist/index.html: $(WEB_SOURCES) $(WEB)/node_modules/.stamp
	@$(if $(NPM),cd $(WEB) && $(NPM) run --silent build -- --logLevel warn,echo "the web view is left out: it needs Node.js 20.19 or newer with npm")

demo: build ## a shop of real servers, tapped live: its requests and its map
	@$(BIN)/tapper demo

test: build .venv/system.stamp ## all tests
	cd $(ENGINE) && cargo test --locked --quiet
	$(if $(NPM),cd $(WEB) && $(NPM) test --silent -- --reporter=dot && $(NPM) run --silent browser)
	$(BIN)/python -m pytest -q -n auto

.venv/system.stamp: tools/system_packages.sh .venv/packages.stamp
	bash tools/system_packages.sh
	touch $@

check: build ## format, lint, types, import contracts
	$(BIN)/ruff format --check $(PY)
	$(BIN)/ruff check $(PY)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(NPM),cd $(WEB) && $(NPM) run --silent check)
	cd $(ENGINE) && cargo fmt --check
	cd $(ENGINE) && cargo clippy --locked --all-targets --features python -- -D warnings

bench: build .venv/system.stamp ## figures, as ratios in one run
	$(BIN)/python -m bench

fuzz: ## each fuzz target for FUZZ_SECONDS; needs a nightly toolchain
	@rustup run nightly cargo --version > /dev/null 2>&1 || { echo "fuzz: skipped, no nightly toolchain"; exit 0; }; \
	cargo fuzz --version > /dev/null 2>&1 || cargo install --quiet --locked cargo-fuzz; \
	cd $(ENGINE) && for target in $$(cargo +nightly fuzz list); do \
		cargo +nightly fuzz run $$target -- -seed=$(FUZZ_SEED) -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 \
			-verbosity=0; \
	done

format: .venv/packages.stamp $(WEB)/node_modules/.stamp
	$(BIN)/ruff format $(PY)
	$(BIN)/ruff check --fix $(PY)
	cd $(ENGINE) && cargo fmt
	$(if $(NPM),cd $(WEB) && $(NPM) run --silent format)

lock: ## Python dependencies, with hashes
	$(LOCK) --group dev pyproject.toml --output-file requirements.lock
	echo pip | $(LOCK) --constraint requirements.lock pyproject.toml - --output-file manifests/requirements.lock

image: .venv/packages.stamp ## the container image of agent and collector; IMAGE, BASE, ARCHIVE: see tools/image.sh
	bash tools/image.sh

clean:
	rm -rf .venv build $(WEB)/node_modules $(WEB)/dist $(ENGINE)/target $(ENGINE)/fuzz/target agent/_engine*.so

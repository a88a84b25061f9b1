# Kling Gateway. `make` lists the targets. Each of build, run, demo and test works as the first command on a fresh
# Debian 12, Ubuntu 24.04 or newer (the release binary needs glibc 2.36) with a Swift toolchain: they install the
# libraries that are missing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ARGS ?=
SECONDS ?= 600
# For `make torture`: SEED replays the choices of an earlier run, and WITHOUT=callbacks,queue leaves those parts out.
KILLS ?= 300
# How many of the kills are power cuts, which also lose what was not synced.
CUTS ?= 100
CREATES ?= 5000
# With REPLICAS=2, two gateways on PostgreSQL behind HAProxy, and DATABASE_KILLS of the kills crash PostgreSQL. With
# FAILOVERS=1, one of those ends with the promotion of a synchronous standby.
REPLICAS ?= 1
DATABASE_KILLS ?= 0
FAILOVERS ?= 0
SEED ?=
SETTLING ?= 300
WITHOUT ?=
SWIFT ?= swift
# Links the Swift libraries statically: the binary runs without a toolchain, and takes 5 MB less resident memory.
STATIC := --static-swift-stdlib

# The libraries that the build needs, by their names for pkg-config; the commands; and their Debian packages.
LIBRARIES := libevent_core libcurl sqlite3 libpq openssl libjpeg libturbojpeg libpng libwebp lcms2 zlib libxxhash \
	libtcmalloc_minimal
COMMANDS := pkg-config curl python3
PACKAGES := pkg-config libevent-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev libssl-dev libjpeg-dev \
	libturbojpeg0-dev libpng-dev libwebp-dev liblcms2-dev zlib1g-dev libxxhash-dev libgoogle-perftools-dev \
	ca-certificates curl python3
TOOLCHAIN_PACKAGES := g++ git libncurses6 libxml2 libsqlite3-0 libuuid1
BENCH_COMMANDS := nginx wrk strace
BENCH_PACKAGES := nginx-light libnginx-mod-http-echo wrk strace
ifneq (,$(findstring --peers,$(ARGS)))
BENCH_COMMANDS += haproxy
BENCH_PACKAGES += haproxy
endif

# $(call install,COMMANDS,LIBRARIES,PACKAGES): a shell line that installs PACKAGES if any of the rest is missing.
define install
missing=; \
for c in $(1); do command -v "$$c" >/dev/null || missing="$$missing $$c"; done; \
for l in $(2); do pkg-config --exists "$$l" 2>/dev/null || missing="$$missing $$l"; done; \
$(call apt,$(3))
endef

# $(call apt,PACKAGES): a shell line that installs PACKAGES if $$missing is not empty.
define apt
if [ -z "$$missing" ]; then exit 0; fi; \
echo "missing:$$missing"; \
if ! command -v apt-get >/dev/null; then \
	echo "install them, then try again; the Debian packages are $(1)" >&2; exit 1; \
fi; \
as_root=; if [ "$$(id -u)" != 0 ]; then \
	if ! command -v sudo >/dev/null; then \
		echo "install them as root, then try again: apt-get update && apt-get install $(1)" >&2; exit 1; \
	fi; \
	as_root=sudo; \
fi; \
$$as_root apt-get update -q </dev/null; \
$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(1) </dev/null
endef

.PHONY: help
help: ## list these targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Builds a program that is linked like the gateway, to check that the Swift toolchain finds its libraries, a linker and
# the C headers.
.build/toolchain-works:
	@command -v $(SWIFT) >/dev/null || { echo "no Swift toolchain: get 6.3 from https://www.swift.org/install" >&2; exit 1; }
	@mkdir -p $(@D); probe=$$(mktemp -d); trap 'rm -rf "$$probe"' EXIT; \
	echo 'import Foundation; print(Date.distantPast)' >"$$probe/main.swift"; missing=; \
	{ $(SWIFT) build --version && $(SWIFT)c -static-stdlib "$$probe/main.swift" -o "$$probe/main"; } >"$$probe/log" 2>&1 || \
	missing=" libraries that the Swift toolchain needs"; \
	( $(call apt,$(TOOLCHAIN_PACKAGES)) )
	@touch $@

.PHONY: libraries
libraries: .build/toolchain-works ## install the system libraries that are missing (Debian, Ubuntu)
	@$(call install,$(COMMANDS),$(LIBRARIES),$(PACKAGES))

.PHONY: deps
deps: libraries ## also install PostgreSQL, cjpeg, chromium, promtool, and the clients and proxies that the tests run
	@Tests/Postgres/install.sh
	@( $(call install,cjpeg,,libjpeg-turbo-progs) ) || true
	@( $(call install,chromium,,chromium fonts-dejavu-core) ) || true
	@python3 -c 'import ensurepip, venv' 2>/dev/null || ( $(call install,ensurepip,,python3-venv) ) || true
	@Tests/Clients/install.sh
	@Tests/Proxies/install.sh nginx haproxy caddy
	@Tests/Alerts/install.sh

.PHONY: build
build: libraries ## build .build/release/kling-gateway
	$(SWIFT) build -c release --product kling-gateway $(STATIC)

.PHONY: run
run: build ## serve; ARGS="--config FILE"
	exec .build/release/kling-gateway serve $(ARGS)

.PHONY: demo
demo: build ## try it with a simulated Kling; ARGS=--once
	exec .build/release/kling-gateway demo $(ARGS)

# What depends on the store runs on PostgreSQL too.
.PHONY: test
test: deps ## run every test, those of the store and all end-to-end tests on PostgreSQL too; ARGS="--filter NAME"
	$(if $(ARGS),,TEST_STORE=postgres $(SWIFT) test --filter '^TaskStoreTests\.|SharedBodiesTests|DataCopyTests|PostgresServerTests')
	$(if $(ARGS),,TEST_STORE=postgres $(SWIFT) test --filter '^EndToEndTests\.')
	$(SWIFT) test $(ARGS)

.PHONY: test-postgres
test-postgres: deps ## run all end-to-end tests on PostgreSQL
	TEST_STORE=postgres $(SWIFT) test --filter '^EndToEndTests\.'

.PHONY: torture
torture: libraries ## kill the gateway and cut its power under load; KILLS=300 CUTS=100 CREATES=5000 SEED=1
	TORTURE_REPLICAS=$(REPLICAS) TORTURE_DATABASE_KILLS=$(DATABASE_KILLS) TORTURE_FAILOVERS=$(FAILOVERS) TORTURE_KILLS=$(KILLS) TORTURE_CUTS=$(CUTS) TORTURE_CREATES=$(CREATES) TORTURE_SEED=$(SEED) \
	TORTURE_SETTLING=$(SETTLING) TORTURE_WITHOUT=$(WITHOUT) $(SWIFT) test --filter TortureTests/

.PHONY: bench
bench: build ## measure against nginx; ARGS="--against OLD_BINARY --peers"
	@$(call install,$(BENCH_COMMANDS),,$(BENCH_PACKAGES))
	@$(if $(findstring --peers,$(ARGS)),python3 -c 'import ensurepip; import venv' 2>/dev/null || \
		( $(call install,ensurepip,,python3-venv) ))
	python3 Tests/Benchmarks/checks.py
	PATH="$$PATH:/usr/sbin" python3 Tests/Benchmarks/bench.py $(ARGS)

.PHONY: proxies
proxies: build ## try the gateway behind ten proxies; ARGS="--only nginx,caddy --quick"
	Tests/Proxies/install.sh
	python3 Tests/Proxies/proxies.py $(ARGS)
	python3 Tests/Proxies/proxies.py --quick --tls $(ARGS)

.PHONY: lint
lint: ## check the formatting, the sizes of files, functions and types, the floors, and the links
	$(SWIFT) format lint --strict --recursive Sources Tests Package.swift
	python3 Tests/Lint/sizes.py
	python3 Tests/Lint/types.py
	python3 Tests/Lint/floors.py
	python3 Tests/Lint/links.py

.PHONY: check
check: libraries lint test ## run everything that a change must pass: lint, every test, a minute of fuzzing
	Tests/Fuzz/run.sh 60

.PHONY: sanitize
sanitize: deps ## run every test under the address, then the thread sanitizer
	# No leak check: Foundation's Process leaks in the tests themselves. The gateway that they run is checked for leaks.
	# One test at a time: a sanitized suite is slow, and starved tests miss the servers' deadlines.
	SANITIZED=1 ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --no-parallel --scratch-path .build-asan --sanitize=address \
		-Xswiftc -DADDRESS_SANITIZER $(ARGS)
	SANITIZED=1 $(SWIFT) test --no-parallel --scratch-path .build-tsan --sanitize=thread -Xswiftc -DTHREAD_SANITIZER $(ARGS)

.PHONY: fuzz
fuzz: libraries ## fuzz the parsers for SECONDS=600
	Tests/Fuzz/run.sh $(SECONDS)

.PHONY: clean
clean: ## remove what was built
	rm -rf .build .build-asan .build-tsan .venv .venv-proxies

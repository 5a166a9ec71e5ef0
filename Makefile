# One entry point; CI calls the same words.
SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error

.PHONY: help demo test test-static test-systems test-attacks test-skew soak soak-scale soak-faults soak-attacks soak-build fuzz build lint format generate generate-check bench bench-compare bench-peers

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: ## one story, end to end, on this machine (DEMO_FLAGS="--keep" and the like)
	@Deploy/demo $(DEMO_FLAGS)

test: ## set up, then every test, the polyglot ones included
	@Deploy/test

test-static: ## the daemon as one static file, in root folders of its own
	@Deploy/bootstrap
	@Tests/Static/run

test-systems: ## the static daemon on Debian 11 and on a system with musl, made here (root; once, minutes)
	@Deploy/bootstrap
	@Tests/Static/systems

test-attacks: ## peers that misbehave, in about a minute
	@Tests/Polyglot/run attacks

test-skew: ## the previous tag's programs against this tree's, and the reverse (BASE=rev)
	@Deploy/test-skew $(BASE)

soak: soak-scale soak-faults soak-attacks ## streams at scale, kills at random, peers that misbehave, at length (minutes)

soak-faults: soak-build ## 200 kills at random (FAULT_KILLS, FAULT_SEED: a random one, printed)
	FAULT_KILLS=$(or $(FAULT_KILLS),200) FAULT_SEED=$(or $(FAULT_SEED),random) Tests/Polyglot/run -s test_faults.py

soak-scale: soak-build ## 1 GiB behind a reader that stopped, and by either daemon; 100,000 calls cut at any byte; event orders
	SOAK=1 swift test --skip-build --disable-xctest --filter 'Budgets|Connection credit|WorldTests'
	SOAK=1 Tests/Polyglot/run -s test_conformance.py -k the_kit_passes

soak-attacks: soak-build ## the attacks (SOAK_FLAGS="-k rapid_reset"); writes .build/attacks.md
	SOAK=1 ATTACKS_TABLE=$(CURDIR)/.build/attacks.md Tests/Polyglot/run attacks $(SOAK_FLAGS)

# Not --build-tests, which would also build protoc.
soak-build:
	@Deploy/bootstrap
	for product in gatehouse gatehouse-toold gatehouse-interop gatehouse-conformance gatehousePackageTests; do swift build $(SWIFT_FLAGS) --product $$product || exit; done

fuzz: ## what reads bytes of strangers, by libFuzzer (FUZZ_SECONDS=60 a target, FUZZ="frames chunks")
	@Deploy/bootstrap
	Deploy/fuzz $(FUZZ)

build: ## the programs, for debugging, and the daemon as one static file
	@Deploy/bootstrap
	swift build $(SWIFT_FLAGS)
	Deploy/build-daemon

lint: ## format, imports, unsafe, generated code
	@Deploy/lint

format: ## mend what lint finds in the layout
	swift format --in-place --parallel --recursive Sources Tests Package.swift

generate: ## Swift and C from Proto/
	@Deploy/bootstrap
	Deploy/generate

generate-check: ## make them anew elsewhere and compare
	@Deploy/bootstrap
	Deploy/generate --check

bench: ## gatehouse-bench beside its peers (BENCH_FLAGS="--quick")
	@Deploy/bootstrap --bench
	swift build -c release --product gatehouse-bench --scratch-path .build-release
	Deploy/build-daemon
	.build-release/release/gatehouse-bench all $(BENCH_FLAGS)

bench-compare: ## this tree beside another commit, in turn (BASE=rev ROW=relay)
	@Deploy/bench-compare $(BASE) $(or $(ROW),relay) $(BENCH_FLAGS)

bench-peers: ## build grpc-swift 2's echo server for `make bench` (minutes)
	swift build -c release --package-path Tests/BenchPeers/grpc-swift-echo

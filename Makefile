# One entry point; CI calls the same words.
SHELL := /bin/bash
SWIFT_FLAGS := --explicit-target-dependency-import-check error

.PHONY: help demo test test-static test-attacks soak build lint format generate generate-check bench bench-peers

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

demo: ## one story, end to end, on this machine (DEMO_FLAGS="--keep" and the like)
	@Deploy/demo $(DEMO_FLAGS)

test: ## set up, then every test, the polyglot ones included
	@Deploy/test

test-static: ## the daemon as one static file, in root folders of its own
	@Deploy/bootstrap
	@Tests/Static/run

test-attacks: ## peers that misbehave, in about a minute, on a machine that does nothing else
	@Tests/Polyglot/run attacks

soak: ## peers that misbehave, at length (SOAK_FLAGS="-k rapid_reset"); writes .build/attacks.md
	@Deploy/bootstrap
	swift build $(SWIFT_FLAGS) --build-tests
	SOAK=1 ATTACKS_TABLE=$(CURDIR)/.build/attacks.md Tests/Polyglot/run attacks $(SOAK_FLAGS)

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

bench-peers: ## build grpc-swift 2's echo server for `make bench` (minutes)
	swift build -c release --package-path Tests/BenchPeers/grpc-swift-echo

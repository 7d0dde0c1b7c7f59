# The thin front: every target does its own set-up. Real work is in CMake and the scripts it calls.
SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: help deps deps-test build listener demo demo-spark check test bench bench-kafka bench-listener bench-peers listener-matrix listener-disasters quality proof soak mutants tsan fuzz docs format clean

FUZZ_SECONDS ?= 60

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

deps: ## Debian packages to build and run (asks for sudo only if something is missing)
	@deploy/deps.sh deploy/packages.txt

deps-test: deps ## and those the tests need
	@deploy/deps.sh tests/packages.txt tests/real/packages.txt

build: deps ## build/release/stoker
	@cmake --preset release >/dev/null
	@cmake --build --preset release

listener: ## the jar that a Spark driver sends its events with: deploy/spark-listener/target/
	@deploy/deps.sh deploy/spark-listener/packages.txt
	@deploy/spark-listener/build.sh

demo: build ## watch real Spark runs being judged, nothing else needed
	@build/release/stoker demo

demo-spark: build listener ## a real PySpark job, Kafka and an agent on loopback: the verdicts while it runs
	@deploy/deps.sh deploy/demo-spark/packages.txt
	@deploy/demo-spark/run.sh

check: deps-test ## the fast part of the tests, in minutes: for every change
	@tests/check.sh

test: deps-test ## everything, real Kafka, Alertmanager and Prometheus included
	@tests/run.sh

bench: deps-test build ## speed and memory on a 1 GB log, against its floors
	@tests/bench/run.sh

bench-kafka: deps-test build ## the live agent on a real broker: latency, throughput, restore
	@tests/bench/kafka.sh

PAIRS ?= 10
bench-listener: deps-test build ## what the listener costs its driver: PAIRS (10) of runs with and without it
	@tests/listener/deps.sh
	@build/venv/bin/python -B tests/bench/listener.py --pairs $(PAIRS)

bench-peers: deps-test build ## the same against Spark's own replay
	@tests/bench/run.sh --peers

listener-matrix: deps-test build ## the listener in every Spark from 3.3 to 4.3, in both ways, through every kind of job
	@tests/listener/deps.sh all
	@tests/listener/matrix.py

listener-disasters: deps-test build ## what has gone wrong with other listeners: brokers that hang, events of any size, ...
	@tests/listener/deps.sh
	@tests/listener/disasters.py

SOAK_MINUTES ?= 60
SOAK_SEED ?= 1
soak: deps-test ## all faults mixed on three nodes for SOAK_MINUTES (60), under the address sanitizer
	@tests/real/deps.sh
	@cmake --preset soak >/dev/null && cmake --build --preset soak
	@build/venv/bin/python tests/faults/run.py --soak $(SOAK_MINUTES) --seed $(SOAK_SEED) --binary build/soak/stoker-faults

mutants: deps-test ## break the agent on purpose, one way at a time; the tests must notice each
	@tests/real/deps.sh
	@tests/mutants/run.py

tsan: deps-test ## data races: threaded unit tests and the live agent under the thread sanitizer
	@tests/tsan/run.sh

fuzz: deps-test ## every fuzzer for FUZZ_SECONDS (60) each
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

quality: build ## how far the verdicts can be trusted: precision, recall, cause and delay on labelled logs
	@tests/quality/quality.py build/release/stoker --floors --leave-one-out

ROUNDS ?= 5
proof: deps-test build ## badly tuned jobs on real Spark, before and after nothing but Stoker's advice, ROUNDS (5) pairs of runs each
	@tests/corpus/deps.sh 4.1.1
	@python3 -B tests/proof/proof.py build/release/stoker --rounds $(ROUNDS)

docs: build ## print the reference pages anew
	@deploy/docs.sh

format: ## clang-format over every C and C++ file
	@clang-format-14 -i $$(git ls-files '*.c' '*.h' '*.cpp')

clean: ## remove what was built
	@rm -rf build

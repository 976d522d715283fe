# The everyday commands. Everything is built by CMake below build/; this file only names the ways in.
#   make demo      install what is missing, build, post a sample remittance and show the journals
#   make test      install what is missing, build, run every test, also under sanitizers, and a few seconds of fuzzing
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
DESTDIR ?=
MAKEFLAGS += --no-print-directory
CTEST := ctest --output-on-failure -j$(JOBS)

.PHONY: all demo test tidy test-release test-asan test-tsan fuzz-smoke fuzz bench coverage lint format install clean setup setup-test
.DEFAULT_GOAL := all

all: setup build/release/.built
	@echo "built: build/release/cli/shunt"

setup:
	@scripts/setup.sh build
setup-test:
	@scripts/setup.sh test

build/%/.built: FORCE
	@cmake --preset $* >/dev/null
	@cmake --build --preset $* -j$(JOBS)
	@touch $@
FORCE:

demo: setup build/release/.built
	@scripts/demo.sh build/release/cli/shunt

test: setup-test lint test-release tidy test-asan test-tsan fuzz-smoke
	@echo "all tests passed"

test-release: setup-test build/release/.built
	cd build/release && $(CTEST)
test-asan: setup-test build/asan/.built
	cd build/asan && $(CTEST)
test-tsan: setup-test build/tsan/.built
	cd build/tsan && $(CTEST) -L threads
fuzz-smoke: setup-test build/fuzz/.built
	scripts/fuzz.sh build/fuzz 5 1
fuzz: setup-test build/fuzz/.built
	scripts/fuzz.sh build/fuzz 60
coverage: setup-test build/coverage/.built
	scripts/coverage.sh build/coverage
bench: setup-test build/release/.built
	scripts/bench.sh build/release
	scripts/bench_standards.sh build/release
	scripts/bench_sets.sh build/release
	scripts/bench_compile.sh build/release
lint: setup-test
	scripts/lint.sh
tidy: setup-test build/release/.built
	scripts/tidy.sh build/release
format: setup-test
	clang-format -i $$(git ls-files '*.c' '*.h')

install: build/release/.built
	DESTDIR=$(DESTDIR) cmake --install build/release --prefix $(PREFIX)
clean:
	rm -rf build

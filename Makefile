# The front door: `make` lists what there is. Every target first sets up what it needs, in .venv.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := schemas streams tests bench
PAGE_TOOLS := tests/page/node_modules/.package-lock.json
CONTRACT_TOOLS := tests/contract/node_modules/.package-lock.json
MEASURE_TOOLS := tests/adapters/measure/node_modules/.package-lock.json

# The locks name neither an index nor a path: they hold wherever the same files are served.
LOCK_TOOLS := build/lock-tools
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(LOCK_TOOLS)/bin/pip-compile --quiet --generate-hashes \
	--strip-extras --allow-unsafe --no-annotate --no-emit-options --no-emit-index-url --no-emit-trusted-host \
	--no-emit-find-links
DEVELOPMENT_REQUIREMENTS := $(LOCK_TOOLS)/bin/python -c 'import tomllib; \
	project = tomllib.load(open("pyproject.toml", "rb")); \
	print(*project["dependency-groups"]["dev"], *project["build-system"]["requires"], sep="\n")'
PEERS_REQUIREMENTS := $(LOCK_TOOLS)/bin/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["peers"], sep="\n")'
BUILD_REQUIREMENTS := $(LOCK_TOOLS)/bin/python -c 'import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

# Installs the packages $(1) where that is ours to do: as root on Debian or Ubuntu. Else says the sentence $(2).
or_apt_install = || { \
	{ test "$$(id -u)" = 0 && command -v apt-get >/dev/null; } || { echo $(2) >&2; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $(1); }
OLD_PYTHON := "g9603 needs Python 3.11 or newer, and $(PYTHON) is not: install one, then make PYTHON=python3.13 (say)."
NO_VENV := "$(PYTHON) cannot make virtual environments: install its venv package (apt-get install python3-venv)."
NO_CHROMIUM := "The page is tested in Chromium: install it, such that chromium or google-chrome is on the path."
NO_NODE := "The page's code and schemas/asyncapi.json are checked with Node.js 18 or newer: install it, with npm."
NO_PICTURE_TOOLS := "Pictures of the page are made small with pngquant: install it, and the font Inter."
NO_KAFKA := "The tests run a real Kafka, with Java 17 or newer and Maven: install both \
	(apt-get install default-jre-headless maven, or brew install openjdk maven)."
NO_JDK := "The bench builds engines in Java: install a JDK, 17 or newer (apt-get install default-jdk-headless)."
NO_PROGRAMS := "What is in deploy/ is checked with Prometheus' promtool and with docker-compose: install both \
	(apt-get install prometheus docker-compose, or brew install prometheus docker-compose)."
NO_POSTGRESQL := "Billing's tables are tested on PostgreSQL: install it (apt-get install postgresql); it need not run."
NO_FAKETIME := "Scenarios with a wrong clock need libfaketime (Debian and Ubuntu: apt-get install libfaketime)."
OTHER_PYTHON := "The locks are resolved on the oldest Python, so that newer ones can use them: make lock PYTHON=python3.11."

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup demo test test-3.9 chaos soak year simulation check audit sbom fuzz format schemas bench bench-full lock clean
.PHONY: measure-check java-and-maven jdk chromium libfaketime postgresql screenshots deploy-programs deploy-check image-check

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## Make .venv: all that the lock file names, and this project.

demo: setup ## Watch codes come out of a real Kafka. ARGS="--source synthea": of Synthea's patients.
	@$(BIN)/g9603 demo $(ARGS)

test: check java-and-maven chromium deploy-programs postgresql $(CONTRACT_TOOLS) ## Run every check and every test. ARGS="-k name": of the tests, only these.
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile $(ARGS)

test-3.9: setup java-and-maven chromium ## Run the tests that need a broker against Kafka 3.9. ARGS="-k name": only these.
	$(BIN)/python -m pytest tests/broker --kafka 3.9.2 $(ARGS)

simulation: setup ## Search for a history that is not exactly once. EXAMPLES=20000 SEED=7: how long, from where.
	SIMULATION_EXAMPLES=$(or $(EXAMPLES),5000) SIMULATION_SEED=$(or $(SEED),0) \
		$(BIN)/python -m pytest tests/simulation --timeout 0 $(ARGS)

check: setup $(PAGE_TOOLS) ## Check style, types, which way imports point, and what we are made of.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	npm run --silent --prefix tests/page check
	$(BIN)/python -m tests.supply_chain.bill_of_materials
	$(BIN)/python -m tests.supply_chain.audit

deploy-check: setup deploy-programs ## Check what is in deploy/. ARGS="--crds FOLDER": by these definitions, too.
	$(BIN)/python -m pytest tests/deploy $(ARGS)

image-check: setup ## Carry out what deploy/Dockerfile says, and run the worker from it (Linux, root; a minute).
	unshare --mount $(BIN)/python -m tests.deploy.image_check

measure-check: setup java-and-maven $(MEASURE_TOOLS) ## Hold improved scores against an engine for quality measures. ARGS="--patients 1000": of so many.
	$(BIN)/python -m tests.adapters.quality_measure $(ARGS)

audit: setup ## Ask the advisories about all that the locks name. ARGS=--required: fail where none can be asked.
	$(BIN)/python -m tests.supply_chain.audit $(ARGS)

sbom: setup ## Write the bill of materials (CycloneDX) to build/sbom.cdx.json.
	$(BIN)/python -m tests.supply_chain.bill_of_materials

fuzz: setup ## Fuzz all that reads bytes from outside. ARGS="--seconds 600 --target decoder": how long, and what.
	$(BIN)/python -m tests.fuzz $(ARGS)

chaos: setup java-and-maven libfaketime ## Attack real workers on a real Kafka of three brokers. ARGS="--help": how.
	$(BIN)/python -m tests.chaos $(ARGS)

soak: setup java-and-maven ## A random mix of faults. ARGS="--minutes 60": for so long.
	$(BIN)/python -m tests.chaos.soak $(ARGS)

year: setup java-and-maven ## Code ten million records and recount them; then one is forged. ARGS="--records 1000000": fewer.
	$(BIN)/python -m tests.year $(ARGS)

format: setup $(PAGE_TOOLS) ## Bring the code into the house's format, and mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm run --silent --prefix tests/page format

schemas: setup ## Write the documents of the contract anew: JSON Schemas, AsyncAPI.
	$(BIN)/g9603 schema write schemas/v1
	env -u G9603_APP_ID -u G9603_TOPIC_PREFIX $(BIN)/g9603 schema asyncapi > schemas/asyncapi.json

screenshots: setup chromium ## Take the pictures of the page that the README shows.
	@command -v pngquant >/dev/null $(call or_apt_install,pngquant fonts-inter,$(NO_PICTURE_TOOLS))
	$(BIN)/python -m tests.page.screenshots

bench: setup java-and-maven jdk ## Measure this worker beside other engines; a few minutes. ARGS="--help": how.
	$(BIN)/python -m bench $(ARGS)

bench-full: setup java-and-maven jdk ## The same with all engines and their restarts, into bench/README.md; it says for how long.
	$(BIN)/python -m bench --full --readme $(ARGS)

lock: ## Resolve the lock files anew. ARGS=--upgrade: to the newest versions.
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo $(OTHER_PYTHON) >&2; exit 1; }
	$(PYTHON) -m venv --clear $(LOCK_TOOLS)
	$(LOCK_TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-tools>=7.6,<8'
	$(PIP_COMPILE) $(ARGS) --output-file requirements/runtime.lock --extra demo pyproject.toml
	$(DEVELOPMENT_REQUIREMENTS) | $(PIP_COMPILE) $(ARGS) --constraint requirements/runtime.lock \
		--output-file requirements/development.lock --extra billing --extra demo --extra hl7v2 pyproject.toml -
	$(BUILD_REQUIREMENTS) | $(PIP_COMPILE) $(ARGS) --constraint requirements/development.lock \
		--output-file requirements/build.lock -
	$(PEERS_REQUIREMENTS) | $(PIP_COMPILE) $(ARGS) --output-file requirements/peers.lock -
	rm -rf $(LOCK_TOOLS)

clean: ## Remove .venv, the caches and what was built.
	rm -rf $(VENV) tests/*/node_modules tests/*/*/node_modules build dist .cache .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# Made from nothing, so that what a new lock no longer names is gone.
$(READY): requirements/development.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo $(OLD_PYTHON) >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null $(call or_apt_install,python3-venv,$(NO_VENV))
	@echo "Setting up $(VENV), once; a minute or two."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --require-hashes -r requirements/development.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

java-and-maven: setup
	@{ $(BIN)/python -c 'from streams.local_kafka.java import find_java; find_java()' 2>/dev/null && command -v mvn >/dev/null; } \
		$(call or_apt_install,default-jre-headless maven,$(NO_KAFKA))

jdk:
	@command -v javac >/dev/null $(call or_apt_install,default-jdk-headless,$(NO_JDK))

chromium:
	@{ command -v chromium || command -v google-chrome; } >/dev/null $(call or_apt_install,chromium,$(NO_CHROMIUM))

# tsc and biome check the page's code, AsyncAPI's parser a document: nothing of them is in what we ship.
$(PAGE_TOOLS) $(CONTRACT_TOOLS) $(MEASURE_TOOLS): %/node_modules/.package-lock.json: %/package-lock.json
	@command -v npm >/dev/null $(call or_apt_install,nodejs npm,$(NO_NODE))
	npm ci --silent --prefix $*
	@touch $@

deploy-programs: setup
	@{ command -v promtool && command -v docker-compose; } >/dev/null \
		$(call or_apt_install,prometheus docker-compose,$(NO_PROGRAMS))
	@$(BIN)/python -m tests.deploy.programs

postgresql:
	@{ ls /usr/lib/postgresql/*/bin/initdb || command -v initdb; } >/dev/null 2>&1 $(call or_apt_install,postgresql,$(NO_POSTGRESQL))

libfaketime:
	@ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 $(call or_apt_install,libfaketime,$(NO_FAKETIME))

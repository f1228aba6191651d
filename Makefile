# `make help` lists what there is. Works with GNU make 3.81 and later, on Linux and macOS.

PYTHON ?= python3
RUN := .venv/bin/python
ARGS ?=

# What is installed is remembered under the checksum of what was asked for; `setup` covers the demo as well.
DEMO := .venv/.demo-$(shell cksum <requirements-demo.txt | tr ' ' '-')
DEV := .venv/.dev-$(shell cksum <requirements-dev.txt | tr ' ' '-')
# The JavaScript SDK, for the tests that use it; npm writes this file last.
NODE_MODULES := tests/javascript/node_modules/.package-lock.json

# A whole production environment with invented values, for `check --deploy`; a `.env` in the checkout has no part in it.
PRODUCTION := env ENV_FILE=/dev/null SANDBOX=0 DEBUG=0 SECRET_KEY=this-is-no-secret-but-it-is-as-long-as-one-must-be-0123456789 \
	PUBLIC_URL=https://portal.example.com DATABASE_URL=postgres://portal@db.example.com/portal REDIS_URL=redis://redis.example.com/0 \
	ORGANIZATION_NAME=Example CONTACT_NAME=Example CONTACT_EMAIL=portal@example.com EMAIL_URL=smtp://mail.example.com:25

.PHONY: help setup demo demo-reset test fuzz faults lint check bench audit messages screenshots client requirements
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-20s %s\n", $$1, $$2 }'

setup: $(DEV) $(if $(shell command -v npm),$(NODE_MODULES)) ## make .venv with everything for development; nothing after it needs the network

demo: $(DEMO) ## run the whole product with a local stand-in for AWS (PORT=8000)
	@$(RUN) -m demo

demo-reset: $(DEMO) ## forget everything that the demo has stored
	@$(RUN) -m demo --reset

test: $(DEV) ## run the tests; on PostgreSQL and Redis where DATABASE_URL and REDIS_URL name them
	@$(RUN) -m pytest -q -r fE -p tests.skipped -n auto --dist loadgroup -m "not fuzz and not fault" $(ARGS)

fuzz: $(DEV) ## run the long property tests with new examples; all property tests: make fuzz ARGS="-m hypothesis"
	@$(RUN) -m pytest -q -r fE -n auto --hypothesis-profile others -m fuzz $(ARGS)

faults: $(DEV) ## run the tests that kill, stop and starve real processes
	@$(RUN) -m pytest -q -r fE -p tests.skipped -m fault $(ARGS)

lint: $(DEV) ## format, lint, types, import contracts, templates, migrations, messages, production settings
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@$(PRODUCTION) .venv/bin/mypy
	@told=$$($(PRODUCTION) .venv/bin/lint-imports) || { echo "$$told"; exit 1; }
	@.venv/bin/djlint --quiet --lint templates
	@$(PRODUCTION) DATABASE_URL=sqlite://:memory: $(RUN) manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(RUN) manage.py check --deploy --fail-level WARNING
	@mkdir -p var; for po in $(wildcard onboarding/locale/*/LC_MESSAGES/*.po); do \
		$(RUN) -m babel.messages.frontend --quiet compile --input-file "$$po" --output-file var/compiled.mo && \
		cmp var/compiled.mo "$${po%.po}.mo" || { echo "$$po is not compiled as it stands: make messages"; exit 1; }; \
	done

check: lint test ## what must pass before a change is proposed

bench: $(DEV) ## print what is fast, beside what else one would use
	@$(RUN) -m benchmarks $(ARGS)

audit: $(DEV) ## look for known weaknesses in what is installed (needs the network)
	@.venv/bin/pip-audit --no-deps --disable-pip --requirement requirements.txt
	@.venv/bin/pip-audit --no-deps --disable-pip --requirement requirements-dev.txt

messages: $(DEV) ## collect the strings to translate, and compile the translations (needs gettext)
	@$(PRODUCTION) $(RUN) manage.py makemessages --locale ja --no-location --no-wrap --no-obsolete --ignore .venv --ignore var
	@for po in onboarding/locale/*/LC_MESSAGES/*.po; do \
		$(RUN) -m babel.messages.frontend --quiet compile --input-file "$$po" --output-file "$${po%.po}.mo"; \
	done

screenshots: $(DEV) ## take the README's pictures of the demo that runs (needs Chromium)
	@$(RUN) -m demo.screenshots

client: $(DEV) ## make client/portal_config.py anew from core/awsconfig and the modules in client
	@$(RUN) -m client.build

requirements: ## resolve pyproject.toml into the pinned requirements (needs uv and the network)
	@uv pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml --output-file requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml --group demo --output-file requirements-demo.txt
	@uv pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml --group dev --output-file requirements-dev.txt

.venv/bin/python:
	@for candidate in $(PYTHON) python3.13 python3.12 python3.11; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making .venv with $$("$$candidate" --version)"; exec "$$candidate" -m venv .venv; \
		fi; \
	done; \
	echo "Tobiishi needs Python 3.11 or newer, and $(PYTHON) is not. Name another one: PYTHON=/path/to/python3 make …" >&2; exit 1

# uv is much faster where it is there and can reach its index; pip is what everybody has.
define install
	@echo "Installing $(1)"
	@{ uv --version >/dev/null 2>&1 && uv pip install --quiet --python .venv/bin/python --requirement $(1) 2>/dev/null; } || \
		$(RUN) -m pip install --quiet --disable-pip-version-check --requirement $(1)
endef

$(DEMO): | .venv/bin/python
	$(call install,requirements-demo.txt)
	@touch $@

# Without it, a few tests are skipped and say so.
$(NODE_MODULES): tests/javascript/package-lock.json
	@echo "Installing tests/javascript"
	@(cd tests/javascript && npm ci --silent) || echo "npm could not: tests with the JavaScript SDK will be skipped"

$(DEV): | .venv/bin/python
	$(call install,requirements-dev.txt)
	@touch $@ $(DEMO)

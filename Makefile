# Robust Frog. Needs Python 3.11 or newer and make; everything else is installed into .venv.
#
#   make app            start the app        (PORT=8502 for another port, EXTRAS=imagenet for a network of photographs,
#                                             PLUGIN=mine.py for a network that is Python)
#   make test           run the tests        (ARGS="-k balls" for some of them)

VENV := .venv
PY := $(VENV)/bin/python
# Ends with 0 in a Python that is new enough and can make environments; the first such is taken.
FITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3 python3.13 python3.12; do \
	command -v $$p >/dev/null 2>&1 && $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
# One line for each large download; errors go to the terminal as they are. The status file carries pip's exit code
# through the pipe.
PIP = { $(PY) -m pip install --disable-pip-version-check --progress-bar off $(1) && : > $(VENV)/.ok; } \
	| sed -n -e 's/^ *\(Downloading\|Using cached\) \([^ ]*\) (\([0-9.]* [MG]B\)).*/   \2  \3/p' \
	         -e 's/^Installing collected packages.*/   unpacking .../p'; \
	test -e $(VENV)/.ok && rm $(VENV)/.ok

# What `make check` runs of the tests of core: the mathematics, in seconds.
QUICK := attacks balls rules objectives inversion recipes compute render models checkpoints gaussian

# What is installed goes into the environment, whatever pip.conf says.
export PIP_USER := 0
.DEFAULT_GOAL := help
.PHONY: help setup app test check newest lint javascript format mutants zoo bench

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

setup: $(VENV)/.dev ## make the environment, with the tools for tests and lint

app: $(VENV)/.app $(EXTRAS:%=$(VENV)/.extra-%) ## start the app and print where it is (PORT=8502 for another port)
	@case "$(PORT)" in "") ;; *[!0-9]*|??????*) false;; *) test "$(PORT)" -ge 1 -a "$(PORT)" -le 65535;; esac \
	|| { echo "PORT must be a whole number, 1 to 65535, not $(PORT)."; exit 1; }
	@echo "Starting Robust Frog; stop it with Ctrl-C."
	@exec $(PY) -m streamlit run app.py $(if $(PORT),--server.port $(PORT)) $(if $(PLUGIN),-- --plugin "$(PLUGIN)")

# Two workers, each with one thread of torch, which take work from each other; then what measures time, alone.
# What is compiled is kept, also where the shell asks for none: pytest rewrites every assertion, for seconds a process.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.dev ## run the tests (ARGS="-k balls" for some of them)
ifdef ARGS
	$(PY) -m pytest $(ARGS)
else
	@$(PY) -m pytest -n 2 --dist worksteal --durations 10 -m "not alone"; beside=$$?; \
	$(PY) -m pytest --durations 5 -m alone $$(grep -rl --include='*.py' 'mark\.alone' tests); alone=$$?; \
	exit $$((beside > alone ? beside : alone))
endif

check: lint ## lint, types and the quick tests, in under two minutes
	$(PY) -m pytest -n 2 -q -m "not slow and not browser" tests/test_architecture.py tests/test_docs.py $(QUICK:%=tests/core/test_%.py)

newest: $(VENV)/.dev ## try the newest release of everything, in an environment of its own
	$(MAKE) VENV=.venv-newest .venv-newest/.dev
	.venv-newest/bin/python -m pip install --disable-pip-version-check --upgrade -r requirements-dev.txt
	$(MAKE) VENV=.venv-newest check

lint: $(VENV)/.dev ## check style, format and types
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy

javascript: node_modules/.installed ## lint the scripts of assets/ and check their types (needs Node.js)
	npm run --silent check

format: $(VENV)/.dev ## let ruff repair what it can
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

mutants: $(VENV)/.mutants ## break core/attacks in a thousand ways: the tests must notice (minutes; may be stopped and resumed)
	OMP_NUM_THREADS=1 ROBUST_FROG_THREADS=1 $(PY) -m mutmut run --max-children 1
	$(PY) -m mutmut results

zoo: $(VENV)/.app ## train the models that are missing and measure all (hours on a CPU; may be stopped and resumed)
	$(PY) -m core.train.zoo build
	$(PY) -m core.train.zoo measure

bench: $(VENV)/.bench ## time our attack beside torchattacks, foolbox, ART and robustness
	$(PY) -m bench.sweep
	$(PY) -m bench.attacks $(ARGS)

node_modules/.installed: package.json
	npm install --fetch-retries 1 --fetch-timeout 30000 --no-audit --no-fund --no-package-lock
	@touch $@

$(VENV)/bin/pip:
	@{ test -n "$(PYTHON)" && "$(PYTHON)" -c '$(FITS)' 2>/dev/null; } || { echo "Robust Frog needs Python 3.11 or newer with venv (on Debian: apt install python3-venv)$(if $(PYTHON),; $(PYTHON) is not that)."; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/pip
	@echo "Installing what the app needs (first time: 2 to 4 minutes, most of it PyTorch)"
	@$(call PIP,-r requirements.txt)
	@touch $@

$(VENV)/.extra-%: requirements-%.txt | $(VENV)/.app
	@echo "Installing the extra $*"
	@$(call PIP,-r $<)
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.app
	@echo "Installing what the tests need"
	@$(call PIP,-r requirements-dev.txt)
	@$(call PIP,--no-deps 'torchattacks>=3.5')
	@touch $@

$(VENV)/.mutants: $(VENV)/.dev
	@$(call PIP,'mutmut>=3.8')
	@touch $@

$(VENV)/.bench: bench/requirements.txt $(VENV)/.dev
	@echo "Installing the libraries to compare with"
	@$(call PIP,-r bench/requirements.txt)
	@$(call PIP,--no-deps 'adv-lib>=0.2.8')
	@$(call PIP,--no-deps 'robustness>=1.2' 'cox>=0.1.post3') || echo "robustness could not be installed; the comparison goes on without it"
	@touch $@

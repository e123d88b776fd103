# A thin face on tools/course.py, which also runs without make.
PYTHON ?= python3
PORT ?= 8000
SEEDS ?= 3
ALL ?= no
N ?=
LAB ?= no
# A name that is no Python (PYTHON=/bin/true) could succeed in silence.
COURSE = test "$$($(PYTHON) -c 'print(f"{6 * 7}")' 2>/dev/null)" = 42 || { \
  echo 'Error: expected PYTHON to start Python 3.11, 3.12 or 3.13,' \
    'got "$(PYTHON)", which does not.' >&2; exit 1; }; \
  $(PYTHON) tools/course.py

.PHONY: help book page site test test-all test-package lab experiments url web \
  release clean
.DEFAULT_GOAL := help

help: ## print this list
	@grep -E '^[a-z-]+:.*## ' Makefile | \
	  awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

book: ## set up, execute, build, serve and print the address (PORT=8000)
	@$(COURSE) book --port "$(PORT)"

page: ## build one page, serve it, rebuild on a change (N=06, LAB=yes, PORT=8000)
	@$(COURSE) page "$(N)" --port "$(PORT)" $(if $(filter yes,$(LAB)),--lab)

site: ## build the site into _build/site without serving it
	@$(COURSE) site

test: ## set up and check everything that CI checks
	@$(COURSE) test

test-all: ## the same, and what takes longer
	@$(COURSE) test-all

test-package: ## test the package alone: no browser, no site, no Node
	@$(COURSE) test-package

lab: ## open JupyterLab on the notebooks
	@$(COURSE) lab

experiments: ## run the longer experiments again, resumable (SEEDS=3)
	@$(COURSE) experiments --seeds "$(SEEDS)"

url: ## write a new public address everywhere (URL=https://github.com/you/fork)
	@$(COURSE) url "$(URL)"

web: ## bundle the widgets' sources into the package (developers only)
	@$(COURSE) web

release: ## build what a tag releases: wheel, sdist and notes (TAG=v0.1.0)
	@$(COURSE) release "$(TAG)"

clean: ## remove what builds leave (ALL=yes: the site and .venv too)
	@$(COURSE) clean $(if $(filter yes,$(ALL)),--all)

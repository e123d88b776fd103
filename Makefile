# A thin face on tools/course.py, which also runs without make.
PYTHON ?= python3
PORT ?= 8000
SEEDS ?= 3
COURSE = $(PYTHON) tools/course.py

.PHONY: help book site test test-all test-package lab experiments url web clean
.DEFAULT_GOAL := help

help: ## print this list
	@grep -E '^[a-z-]+:.*## ' Makefile | \
	  awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

book: ## set up, execute, build, serve and print the address (PORT=8000)
	@$(COURSE) book --port $(PORT)

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
	@$(COURSE) experiments --seeds $(SEEDS)

url: ## write a new public address everywhere (URL=https://github.com/you/fork)
	@$(COURSE) url "$(URL)"

web: ## bundle the widgets' sources into the package (developers only)
	@$(COURSE) web

clean: ## remove _build (.venv stays)
	@$(COURSE) clean

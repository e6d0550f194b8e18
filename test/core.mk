# The core layers without a server, and the programs that test them.
#
#   make -f test/core.mk [all]       builds test/unit/*.c and test/sim/*.c
#   make -f test/core.mk run         and runs every one
#   make -f test/core.mk unit, sim   one of the two only
#   make -f test/core.mk valgrind    and runs every one under valgrind
#   make -f test/core.mk fuzz        builds and runs test/fuzz/*.c
#   make -f test/core.mk tool        builds $(BUILD)/secmed, the command-line tool
#   make -f test/core.mk players     builds test/t/*.c, which TAP tests run
#   make -f test/core.mk engine      builds what bench/mpc runs
#   make -f test/core.mk made        builds what bench/ledger_verify makes a ledger with
#
# Builds of several compilers live side by side:
#
#   make -f test/core.mk run CC=clang-14 BUILD=build/clang
#   make -f test/core.mk run SANITIZE=-fsanitize=address,undefined BUILD=build/asan
#
# Run it from the top of the tree.
PG_CONFIG ?= pg_config
CC        := $(if $(filter default,$(origin CC)),gcc,$(CC))
BUILD     ?= build/core
SANITIZE  ?=
ASSERTS   ?= 1

# The layers are named once, in the Makefile of the extension.
CORE    := $(shell sed -n 's/^CORE *= *//p' Makefile)
SOURCES := $(filter-out %_sql.c %/node.c %/key_file.c,$(sort $(foreach layer,$(CORE),$(wildcard src/$(layer)/*.c))))
UNIT    := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/unit/*.c)))
SIM     := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/sim/*.c)))
# Long vectors, which the sanitizers see as well.
SLOW_SIM := $(addprefix $(BUILD)/test/sim/,joins memory oblivious scans uniform)
# What they allocate is left to a memory context (test/unit/leaves.h).
LEAVES  := $(patsubst %.c,$(BUILD)/%,$(shell grep -l '"leaves.h"' test/unit/*.c))
FUZZ    := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/fuzz/*.c)))
ENGINE  := $(BUILD)/bench/mpc_engine
MADE    := $(BUILD)/bench/ledger_made
PLAYERS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/t/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libcore.a
CLI     := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard src/cli/*.c)))

PG_LIBRARIES := $(addprefix $(shell $(PG_CONFIG) --pkglibdir)/,libpgcommon.a libpgport.a)

CPPFLAGS := -DFRONTEND $(if $(ASSERTS),-DUSE_ASSERT_CHECKING) -Isrc -I$(shell $(PG_CONFIG) --includedir-server) \
            -I$(shell $(PG_CONFIG) --includedir)
CFLAGS   := -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
            -Wno-missing-field-initializers -pthread \
            $(if $(findstring clang,$(CC)),-Wno-ignored-attributes) \
            $(if $(SANITIZE),$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# The statistics' libraries only where they are used: not in the tool.
LDLIBS   := -lsodium -lcrypto -Wl,--as-needed -lRmath -llapacke -lpthread -lm

all: $(UNIT) $(SIM)

# As many at a time as make may run (-j), the output of each together, and all of them also if one
# fails.  Verbose, so that whoever runs it can count.
MAKEFLAGS += -Otarget -k
%.ran: % FORCE
	@prove --verbose -e '' $<

run: unit sim
unit: $(UNIT:%=%.ran)
sim: $(SIM:%=%.ran)

# $(BUILD) must not have been built with SANITIZE.  A simulated party that fails
# jumps over what a server's memory context would free, so leaks are not looked for there.
%.grind: % FORCE
	@prove --verbose -e 'valgrind -q $(LEAKS) --error-exitcode=99' $<

$(filter-out $(LEAVES:%=%.grind),$(UNIT:%=%.grind)): LEAKS := --leak-check=full
valgrind: $(patsubst %,%.grind,$(UNIT) $(filter-out $(SLOW_SIM),$(SIM)))

# Each for so long, as many at a time as make may run (-j):
#   make -f test/core.mk fuzz CC=clang SANITIZE=-fsanitize=fuzzer,address,undefined BUILD=build/fuzz
FUZZ_SECONDS ?= 2
fuzz: $(FUZZ:%=%.run)

%.run: % FORCE
	@test/fuzz/run $(FUZZ_SECONDS) $<

# Nodes of the TAP tests that play false; they talk to real ones.
players: $(PLAYERS)
$(PLAYERS) $(ENGINE): LDLIBS += -lpq

clean:
	rm -rf $(BUILD)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo '  $(CC) $<'
	@$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# From nothing each time: a source that is gone must not live on in it.
$(LIBRARY): $(OBJECTS)
	@rm -f $@
	@ar rcs $@ $(OBJECTS)

engine: $(ENGINE)
$(ENGINE): $(BUILD)/bench/mpc_operations.o

made: $(MADE)

$(UNIT) $(SIM) $(FUZZ) $(PLAYERS) $(ENGINE) $(MADE): %: %.o $(LIBRARY)
	@echo '  link $@'
	@$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(LIBRARY) $(PG_LIBRARIES) $(LDLIBS)

.PHONY: tool
tool: $(BUILD)/secmed

$(BUILD)/secmed: $(CLI) $(LIBRARY)
	@echo '  link $@'
	@$(CC) $(CFLAGS) -o $@ $(CLI) $(LIBRARY) $(PG_LIBRARIES) $(LDLIBS)

# Changes only when the list of sources or the way to compile does, and then everything is made anew.
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(OBJECTS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

-include $(OBJECTS:.o=.d) $(CLI:.o=.d) $(patsubst %,%.d,$(UNIT) $(SIM) $(FUZZ) $(PLAYERS) $(ENGINE) $(MADE))

.SECONDARY:
.PHONY: all run unit sim valgrind fuzz players engine made clean FORCE

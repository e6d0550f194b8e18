# The core layers without a server, and the programs that test them.
#
#   make -f test/core.mk [all]       builds test/unit/*.c and test/sim/*.c
#   make -f test/core.mk run         and runs every one
#   make -f test/core.mk unit, sim   one of the two only
#   make -f test/core.mk valgrind    and runs the unit tests under valgrind
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

# The layers are named once, in the Makefile of the extension.
CORE    := $(shell sed -n 's/^CORE *= *//p' Makefile)
SOURCES := $(filter-out %_sql.c %/node.c,$(sort $(foreach layer,$(CORE),$(wildcard src/$(layer)/*.c))))
UNIT    := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/unit/*.c)))
SIM     := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard test/sim/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
LIBRARY := $(BUILD)/libcore.a

PG_LIBRARIES := $(addprefix $(shell $(PG_CONFIG) --pkglibdir)/,libpgcommon.a libpgport.a)

CPPFLAGS := -DFRONTEND -DUSE_ASSERT_CHECKING -Isrc -I$(shell $(PG_CONFIG) --includedir-server) \
            -I$(shell $(PG_CONFIG) --includedir)
CFLAGS   := -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare \
            -Wno-missing-field-initializers -pthread \
            $(if $(findstring clang,$(CC)),-Wno-ignored-attributes) \
            $(if $(SANITIZE),$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
LDLIBS   := -lsodium -lcrypto -lpthread -lm

all: $(UNIT) $(SIM)

run: all
	prove -e '' $(UNIT) $(SIM)

# The same for one of the two only.
unit: $(UNIT)
	prove -e '' $(UNIT)

sim: $(SIM)
	prove -e '' $(SIM)

# $(BUILD) must not have been built with SANITIZE.
valgrind: $(UNIT)
	prove -e 'valgrind -q --leak-check=full --error-exitcode=99' $(UNIT)

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

$(UNIT) $(SIM): %: %.o $(LIBRARY)
	@echo '  link $@'
	@$(CC) $(CFLAGS) -o $@ $< $(LIBRARY) $(PG_LIBRARIES) $(LDLIBS)

# Changes only when the list of sources or the way to compile does, and then everything is made anew.
FLAGS := $(CC) $(CPPFLAGS) $(CFLAGS) $(OBJECTS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

-include $(OBJECTS:.o=.d) $(UNIT:%=%.d) $(SIM:%=%.d)

.SECONDARY:
.PHONY: all run unit sim valgrind clean FORCE

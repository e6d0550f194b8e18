# Every header compiles after base/base.h alone; a core header also without a
# server, unless it says "server only".
#
#   make -f test/headers.mk      checks those that changed, or include what changed
#
# Run it from the top of the tree.
PG_CONFIG ?= pg_config
CC        := $(if $(filter default,$(origin CC)),gcc,$(CC))
BUILD     ?= build/headers

CORE    := $(shell sed -n 's/^CORE *= *//p' Makefile)
HEADERS := $(wildcard src/*/*.h)
OFFLINE := $(filter-out $(shell grep -l "server only" $(HEADERS)),$(wildcard $(CORE:%=src/%/*.h)))
CHECKED := $(HEADERS:src/%=$(BUILD)/server/%.ok) $(OFFLINE:src/%=$(BUILD)/core/%.ok)

CPPFLAGS := -Isrc -I$(shell $(PG_CONFIG) --includedir) -I$(shell $(PG_CONFIG) --includedir-server)
CFLAGS   := -Wall -Wextra -Werror -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

all: $(CHECKED)

$(BUILD)/core/%: CPPFLAGS += -DFRONTEND

define compiles
@mkdir -p $(@D)
@printf '#include "base/base.h"\n#include "%s"\n' '$*' | \
	$(CC) -fsyntax-only $(CPPFLAGS) $(CFLAGS) -MD -MP -MF $@.d -MT $@ -x c - || \
	{ echo "src/$* does not compile alone ($(patsubst $(BUILD)/%/$*.ok,%,$@))" >&2; exit 1; }
@touch $@
endef

$(BUILD)/server/%.ok: src/%
	$(compiles)

$(BUILD)/core/%.ok: src/%
	$(compiles)

-include $(CHECKED:=.d)

.PHONY: all

# Optimised build for this machine. Position-independent, as the shared library shares the objects.
OS_DIR := posix
EXE :=
CFLAGS_CONFIG := -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIBS_LD := $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm

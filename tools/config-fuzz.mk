# libFuzzer with the sanitizers; `make fuzz` uses it.
OS_DIR := posix
EXE :=
CC := $(CLANG)
CFLAGS_CONFIG := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all
LDFLAGS_CONFIG := -fsanitize=address,undefined
LIBS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIBS_LD := $(shell $(PKG_CONFIG) --libs $(LIBS)) -lm

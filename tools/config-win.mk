# Static Windows program with mingw-w64; tests run under wine. The libraries are built from the
# distribution's source packages by tools/windows-deps.sh.
OS_DIR := win32
EXE := .exe
WIN_HOST ?= x86_64-w64-mingw32
CC := $(WIN_HOST)-gcc
AR := $(WIN_HOST)-ar
WIN_DEPS := build/win-deps
DEPS_READY := $(WIN_DEPS)/stamp
CFLAGS_CONFIG := -O2 -D__USE_MINGW_ANSI_STDIO=1 -DDS_PRINTF_DIALECT=gnu_printf \
	-D_WIN32_WINNT=0x0601
LDFLAGS_CONFIG := -static
LIBS_CFLAGS := -DLZMA_API_STATIC -I$(WIN_DEPS)/include -I$(WIN_DEPS)/include/cjson
LIBS_LD := -L$(WIN_DEPS)/lib -lsqlite3 -lcjson -llzma -lcapstone -l:libz.a
RUNNER := sh tools/wine-run.sh

$(WIN_DEPS)/stamp: tools/windows-deps.sh
	$(Q)sh tools/windows-deps.sh $(WIN_DEPS)

#include <stdio.h>
#include <string.h>

#include "base/os.h"

int main(int argc, char **argv)
{
    ds_os_args(&argc, &argv);
    ds_os_prepare_stdio();
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("dumpscan " DS_VERSION);
        return 0;
    }
    fputs("usage: dumpscan --version\n", stderr);
    return 2;
}

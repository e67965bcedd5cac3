#include "dump/impl.h"
void ds_header_check(struct ds_dump *d)
{
    (void)d;
}

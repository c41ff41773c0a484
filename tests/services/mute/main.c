// SPDX-License-Identifier: MIT
/* main - a service of the tests that never receives, and says that it works whenever somebody looks. */
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/time.h"
#include "lib/server/alive.h"

/* It may stand in for a service that receives, or that has files. */
BOOTSTRAP_LIST("requests");
BOOTSTRAP_LIST("initrd");

int main(void)
{
    for (;;) {
        alive_show();
        sleep_until(deadline_after_ns(10000000));
    }
}

// SPDX-License-Identifier: MIT
/* main - a service of the tests that never receives, and says that it works whenever somebody looks. */
#include "lib/mnos/time.h"
#include "lib/server/alive.h"

int main(void)
{
    for (;;) {
        alive_show();
        sleep_until(deadline_after_ns(10000000));
    }
}

// SPDX-License-Identifier: MIT
/* main - count: adds one to the number of the service `counter`, and shows it. */
#include "../counter/counter.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/ipc.h"
#include "lib/mnos/log.h"

enum { EXIT_COUNTER = 1 };

int main(void)
{
    struct counter_value value = {1};
    struct message msg = {0};
    mnos_status_t status;

    message_put(&msg, COUNTER_ADD, &value, sizeof value);
    status = ipc_request(bootstrap_cap("counter"), &msg);
    if (status == MNOS_OK && message_get(&msg, &value, sizeof value) != sizeof value)
        status = MNOS_ERR_FORMAT;
    if (status != MNOS_OK)
        return log_failure(status, "add to the counter", EXIT_COUNTER);
    out_print("The count is %lu.\n", value.value);
    out_flush();
    return 0;
}

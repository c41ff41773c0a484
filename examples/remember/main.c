// SPDX-License-Identifier: MIT
/* main - remember: shows what this program has in the store, and puts one more line there. */
#include "../store/client.h"
#include "lib/base/printf.h"
#include "lib/client/out.h"
#include "lib/mnos/bootstrap.h"
#include "lib/mnos/log.h"

enum { EXIT_STORE = 1 };

/* All that there is; *count of them. */
static mnos_status_t show(mnos_cap_t store, uint64_t *count)
{
    struct store_pair pair;
    mnos_status_t status = store_list(store, 0, &pair);

    *count = 0;
    while (status == MNOS_OK) {
        pair.name.bytes[sizeof pair.name.bytes - 1] = 0;
        pair.text.bytes[sizeof pair.text.bytes - 1] = 0;
        out_name(pair.name.bytes);
        out_print(": ");
        out_name(pair.text.bytes);
        out_print("\n");
        status = store_list(store, ++*count, &pair);
    }
    return status == MNOS_ERR_END ? MNOS_OK : status;
}

int main(void)
{
    mnos_cap_t store = bootstrap_cap("store");
    struct store_pair pair = {0};
    uint64_t count;
    mnos_status_t status = show(store, &count);

    mnos_snprintf(pair.name.bytes, sizeof pair.name.bytes, "line%lu", count + 1);
    mnos_snprintf(pair.text.bytes, sizeof pair.text.bytes, "there were %lu before", count);
    if (status == MNOS_OK)
        status = store_set(store, &pair);
    out_flush();
    return status == MNOS_OK ? 0 : log_failure(status, "use the store", EXIT_STORE);
}

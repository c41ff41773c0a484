// SPDX-License-Identifier: MIT
/* window - see window.h. */
#include "lib/server/window.h"

#include "lib/mnos/syscall.h"

mnos_status_t window_open(struct window *window, uint64_t bytes)
{
    return memory_allocate((bytes + MNOS_PAGE_BYTES - 1) / MNOS_PAGE_BYTES, &window->memory);
}

void window_close(struct window *window)
{
    if (window->memory.page_count == 0)
        return;
    (void)!sys_cap_revoke(window->memory.memory); /* the client's copies and mappings go */
    memory_free(&window->memory);
    window->memory = (struct memory_block){0};
}

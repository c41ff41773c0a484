// SPDX-License-Identifier: MIT
/* quota.c - see quota.h. */
#include "mm/quota.h"

#include "mm/frame.h"

mnos_status_t quota_frame_alloc(struct quota *quota, paddr_t *frame)
{
    mnos_status_t status = quota_charge_frames(quota, 1);
    paddr_t allocated;

    if (status != MNOS_OK)
        return status;
    allocated = frame_alloc_zeroed();
    if (allocated == PADDR_NONE) {
        quota_return_frames(quota, 1);
        return MNOS_ERR_MEMORY;
    }
    *frame = allocated;
    return MNOS_OK;
}

void quota_frame_free(struct quota *quota, paddr_t frame)
{
    frame_free_zeroing(frame);
    quota_return_frames(quota, 1);
}

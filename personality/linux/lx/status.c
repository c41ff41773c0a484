// SPDX-License-Identifier: MIT
/* status - see status.h. Host tests compile this file. */
#include "personality/linux/lx/status.h"

#include "personality/linux/lx/errno.h"

int64_t status_to_errno(mnos_status_t status)
{
    switch ((int)status) {
    case MNOS_OK: return 0;
    case MNOS_ERR_NOT_FOUND: return -LX_ENOENT;
    case MNOS_ERR_EXISTS: return -LX_EEXIST;
    case MNOS_ERR_DENIED: return -LX_EACCES;
    case MNOS_ERR_RIGHTS: return -LX_EACCES;
    case MNOS_ERR_AGAIN: return -LX_EAGAIN;
    case MNOS_ERR_DIRECTORY: return -LX_EISDIR;
    case MNOS_ERR_NOT_DIRECTORY: return -LX_ENOTDIR;
    case MNOS_ERR_NOT_EMPTY: return -LX_ENOTEMPTY;
    case MNOS_ERR_FULL: return -LX_ENOSPC;
    case MNOS_ERR_LINKS: return -LX_ELOOP;
    case MNOS_ERR_VOLUME: return -LX_EXDEV;
    case MNOS_ERR_SIZE: return -LX_ENAMETOOLONG;
    case MNOS_ERR_ARGUMENT: return -LX_EINVAL;
    case MNOS_ERR_STATE: return -LX_EINVAL;
    case MNOS_ERR_QUOTA: return -LX_EDQUOT;
    case MNOS_ERR_MEMORY: return -LX_ENOMEM;
    case MNOS_ERR_FILE: return -LX_EIO; /* a handle that lx holds is one: the service has lost it */
    default: return -LX_EIO;
    }
}

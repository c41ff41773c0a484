// SPDX-License-Identifier: MIT
/*
 * file_views.h - pages of files that clients read where they are, and the cells that tell them what has become of a file:
 * behind VIEW of protocols/file.def.
 *
 * V1  A page that is lent holds bytes of that file, or zeros behind its end, until it has been taken back: revoked, so that
 *     no client maps it, however many copies and mappings it has made.
 * V2  A cell has the number of its view from when its attributes are written until before a page of the view is taken back.
 * V3  Attributes in a cell are those of the file before the reply of whatever changed them is sent. A request that fails in its
 *     middle, or waits there, ends the views of the file.
 * V4  A view is of a handle and no longer than that, and ends with the process: what was lent from a region that is not kept
 *     the service manager takes back, and the next run clears the cells.
 */
#pragma once

#include <stdint.h>

#include "abi/types.h"

#define FILE_VIEWS_MAX 64u
#define FILE_VIEWS_SHARE 4u /* of one account: 1/4. More end its oldest */

struct file_views {
    uint32_t used; /* entries, from the first on */
    struct {
        uint64_t number;
        mnos_badge_t badge;
        uint64_t handle;
        uint32_t object, account, session, cell;
        mnos_cap_t lent; /* 0: the cell is all */
    } entries[FILE_VIEWS_MAX];
};

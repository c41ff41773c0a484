// SPDX-License-Identifier: MIT
/* keeper.h - what the tests' keeper is asked for. */
#pragma once

enum keeper_request {
    KEEPER_SHARED = 1,  /* a page of a region that is not kept */
    KEEPER_KEPT = 2,    /* a page of one that is */
    KEEPER_PART = 3,    /* likewise, by a part */
    KEEPER_RELEASE = 4, /* that part */
    KEEPER_BREAK = 5,   /* die in the middle of an operation */
    KEEPER_COUNT = 6,   /* an operation; answers the counter */
    KEEPER_HANG = 7,    /* stop working, the first time */
    KEEPER_SLOW = 8,    /* take seconds, and show that it works */
    KEEPER_PARTS =
        9,           /* look at what becomes of parts; answers what was not as it should be, or 0 */
    KEEPER_ALL = 10, /* release all parts */
};

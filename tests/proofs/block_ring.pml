/* SPDX-License-Identifier: MIT */
/*
 * block_ring.pml - the ring between a disk's driver and its client (protocols/block.h), when either dies between any
 * two of its stores, for the model checker spin. tests/proofs/test_models.py runs it.
 *
 * A ring of two entries, and two pages of the client's, each with a sector of its own. The device does what it was
 * given at any time, and again, until the driver has said that it is done. What has to hold: a page that the client
 * has got back is not written by the device any more (B6), and what was acknowledged is on the disk and stays there
 * (B2, B3). Two deaths, of whomever.
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   RESULTS_KEPT     a driver that begins anew does not drop results that were not taken (B7)
 *   TAKES_EARLY      the client takes results while it waits for the answer to ATTACH (B7)
 *   ACTS_FIRST       the client acts on a result before it has marked the entry as finished (B6)
 *   NOT_QUIET        a driver begins while the device still works for the one before
 *   PAGE_SAID_LATE   the client notes that a page is under way after it has shown the entry
 */
#define NONE 0
#define READ 1
#define WRITE 2

#define ENTRIES 2
#define MASK 7 /* indexes count modulo 8 */
#define DEATHS 2
#define SUBMISSIONS 3 /* that the client begins; what is sent again is not counted */

/* The ring; who writes what is in protocols/block.h. */
byte submitted, completed, taken, done;
byte op[ENTRIES], page_of[ENTRIES], result[ENTRIES];

/* The client's notes and pages, which outlive it. */
byte under_way[2], id_of[2];
byte data[2]; /* what is in a page */
byte left[2]; /* what the client has left there */

byte disk[2], acknowledged[2];
byte version, begun; /* of what the client leaves in its pages; requests that it has begun */

bool attaching, attached;
byte deaths;

/* What the device has: for the driver, and for one that is dead and was not waited for. */
byte flying[ENTRIES], flying_page[ENTRIES], flying_id[ENTRIES];
byte ghost, ghost_page;

#define APART(a, b) (((a) - (b)) & MASK)
#define OUTSTANDING(id) (APART(id, completed) < APART(submitted, completed) && op[(id) % ENTRIES] != NONE)

#define ROOM (APART(submitted, completed) < ENTRIES)
#define LOST(p) (under_way[p] != NONE && !OUTSTANDING(id_of[p]) && ROOM)
#define CAN_BEGIN(p) (begun < SUBMISSIONS && under_way[p] == NONE && ROOM)

inline check()
{
    assert(under_way[0] != NONE || data[0] == left[0]);
    assert(under_way[1] != NONE || data[1] == left[1]);
    assert(under_way[0] == WRITE || disk[0] == acknowledged[0]);
    assert(under_way[1] == WRITE || disk[1] == acknowledged[1])
}

inline do_it(what, page)
{
    if
    :: what == READ -> data[page] = disk[page]
    :: what == WRITE -> disk[page] = data[page]
    fi;
    check()
}

active proctype device()
{
end:
    do
    :: atomic { flying[0] != NONE -> do_it(flying[0], flying_page[0]) }
    :: atomic { flying[1] != NONE -> do_it(flying[1], flying_page[1]) }
    :: atomic { ghost != NONE -> do_it(ghost, ghost_page); ghost = NONE }
    od
}

/* ---- the driver: one run after the other ---- */

/* What was in flight has happened or has not, and does not happen later. */
inline quiet(slot)
{
#ifdef NOT_QUIET
    atomic {
        if
        :: flying[slot] != NONE && ghost == NONE -> ghost = flying[slot]; ghost_page = flying_page[slot]
        :: else
        fi;
        flying[slot] = NONE
    }
#else
    flying[slot] = NONE
#endif
}

/* The driver says so in two stores, and may die before each. */
inline complete(slot)
{
    atomic { do_it(flying[slot], flying_page[slot]); id = flying_id[slot]; flying[slot] = NONE };
    if
    :: atomic { deaths < DEATHS -> deaths++; attached = false }
    :: result[own_done % ENTRIES] = id;
        if
        :: atomic { deaths < DEATHS -> deaths++; attached = false }
        :: own_done = (own_done + 1) & MASK; done = own_done
        fi
    fi
}

active proctype driver()
{
    byte next, own_done, id;

end:
    do
    :: attaching ->
        attached = false;
        quiet(0);
        quiet(1);
        next = completed;
#ifdef RESULTS_KEPT
        own_done = done;
#else
        own_done = taken;
        done = own_done;
#endif
        if
        :: atomic { deaths < DEATHS -> deaths++ } /* without an answer: the client asks the next run */
        :: atomic { attached = true; attaching = false }
        fi
    :: atomic { attached && !attaching && next != submitted && flying[next % ENTRIES] == NONE ->
            if
            :: op[next % ENTRIES] != NONE ->
                flying[next % ENTRIES] = op[next % ENTRIES];
                flying_page[next % ENTRIES] = page_of[next % ENTRIES];
                flying_id[next % ENTRIES] = next
            :: else
            fi;
            next = (next + 1) & MASK
        }
    :: attached && !attaching && flying[0] != NONE -> complete(0)
    :: attached && !attaching && flying[1] != NONE -> complete(1)
    :: atomic { attached && deaths < DEATHS -> deaths++; attached = false }
    od
}

/* ---- the client ---- */

inline die()
{
    if
    :: atomic { deaths < DEATHS -> deaths++; goto begin }
    :: skip
    fi
}

inline note(p, what)
{
    id_of[p] = submitted;
    under_way[p] = what;
    check()
}

inline submit(p, what)
{
#ifndef PAGE_SAID_LATE
    atomic { note(p, what) };
    die();
#endif
    page_of[submitted % ENTRIES] = p;
    op[submitted % ENTRIES] = what;
    die();
    submitted = (submitted + 1) & MASK;
#ifdef PAGE_SAID_LATE
    die();
    atomic { id_of[p] = (submitted - 1) & MASK; under_way[p] = what }
#endif
}

/* The page is the client's, which changes it at once. */
inline act(p)
{
    atomic {
        if
        :: under_way[p] == READ -> assert(data[p] == acknowledged[p])
        :: under_way[p] == WRITE -> acknowledged[p] = data[p]
        :: else -> assert(false)
        fi;
        under_way[p] = NONE;
        version++;
        data[p] = version;
        left[p] = version;
        check()
    }
}

inline take()
{
    at = result[taken % ENTRIES];
    if
    :: OUTSTANDING(at) ->
        page = page_of[at % ENTRIES];
#ifdef ACTS_FIRST
        act(page);
        die();
#endif
        op[at % ENTRIES] = NONE;
        die();
        taken = (taken + 1) & MASK;
        die();
        do
        :: completed != submitted && op[completed % ENTRIES] == NONE -> completed = (completed + 1) & MASK
        :: else -> break
        od;
#ifndef ACTS_FIRST
        die();
        act(page)
#endif
    :: else -> taken = (taken + 1) & MASK
    fi
}

/* ATTACH is sent until a run has answered. */
inline attach()
{
    attaching = true;
    do
    :: !attaching -> break
#ifdef TAKES_EARLY
    :: attaching && taken != done -> take()
#endif
    od
}

active proctype client()
{
    byte at, page;

begin:
    at = 0;
    page = 0;
    do
    :: completed != submitted && op[completed % ENTRIES] == NONE -> completed = (completed + 1) & MASK
    :: else -> break
    od;
    attach();
end:
    do
    :: atomic { CAN_BEGIN(0) -> begun++ }; submit(0, READ)
    :: atomic { CAN_BEGIN(0) -> begun++ }; submit(0, WRITE)
    :: atomic { CAN_BEGIN(1) -> begun++ }; submit(1, READ)
    :: atomic { CAN_BEGIN(1) -> begun++ }; submit(1, WRITE)
    /* After a death: what the notes say is under way and is not is sent again. */
    :: LOST(0) -> submit(0, under_way[0])
    :: LOST(1) -> submit(1, under_way[1])
    :: taken != done -> take()
    :: !attached -> attach()
    :: attached && deaths < DEATHS -> deaths++; attach() /* it lost its patience */
    :: atomic { deaths < DEATHS -> deaths++; goto begin }
    od
}

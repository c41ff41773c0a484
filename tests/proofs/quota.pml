/* SPDX-License-Identifier: MIT */
/*
 * quota.pml - accounts, charged and moved by two cores at once: docs/lifetime.md, kernel/mm/quota.h, for
 * the model checker spin. tests/proofs/test_models.py runs it.
 *
 * A parent and its child, each with an account of two kinds. One core charges the child's and gives back; the other
 * moves limits between the two in every direction, one kind to and one kind fro included, and charges the child's
 * as well, as a parent does that maps into it. At any moment the child may end. Q1 holds in every state, and in
 * the end the parent has all that it began with.
 *
 * A compare-and-swap, and an addition with a lock prefix, is one atomic step here; everything else is a step for each
 * word.
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   NO_SWAP          a charge stores what it has computed, without comparing
 *   FROM_LIMIT       the account keeps what is used, and a charge compares it with the limit, which may be lowered
 *   LATE_LIMIT       the limit of the child goes up after it has more left
 *   ONE_KIND         what was taken of the first kind is not given back when the second kind cannot be had
 *   NO_LOOK          limits of a child are moved without a look whether it is ending
 */
#define KINDS 2
#define BEGIN 2 /* of each kind, in each account */

short parent_left[KINDS] = BEGIN;
short child_left[KINDS] = BEGIN;
short child_limit[KINDS] = BEGIN;
short charged[KINDS]; /* to the child, by both cores: nobody in the kernel knows */
short moving[KINDS];  /* taken from one account and not in the other yet */

bool locked; /* the child's process */
bool dying;
byte users = 2; /* cores that may charge the child */
bool over;

inline lock()
{
    atomic { !locked -> locked = true }
}

inline unlock()
{
    locked = false
}

#ifdef FROM_LIMIT
/* `left` is computed from the two words, as far as the checks below go. */
inline charge(kind, ok)
{
    old = charged[kind];
    do
    :: old + 1 > child_limit[kind] -> ok = false; break
    :: else ->
        atomic {
            if
            :: charged[kind] == old ->
                charged[kind] = old + 1;
                child_left[kind] = child_left[kind] - 1;
                ok = true;
                break
            :: else -> old = charged[kind]
            fi
        }
    od
}
#else
inline charge(kind, ok)
{
    old = child_left[kind];
    do
    :: old < 1 -> ok = false; break
    :: else ->
#ifdef NO_SWAP
        atomic { child_left[kind] = old - 1; charged[kind]++; ok = true; break }
#else
        atomic {
            if
            :: child_left[kind] == old ->
                child_left[kind] = old - 1;
                charged[kind]++;
                ok = true;
                break
            :: else -> old = child_left[kind]
            fi
        }
#endif
    od
}
#endif

inline free(kind)
{
    atomic { child_left[kind]++; charged[kind]-- }
}

/* From the account that gives; `sign` is 1 to the child, -1 from it. */
inline take(kind, sign, ok)
{
    if
    :: sign > 0 ->
        atomic {
            if
            :: parent_left[kind] > 0 -> parent_left[kind]--; moving[kind]++; ok = true
            :: else -> ok = false
            fi
        }
    :: else ->
        atomic {
            if
            :: child_left[kind] > 0 -> child_left[kind]--; moving[kind]++; ok = true
            :: else -> ok = false
            fi
        }
    fi
}

inline put_back(kind, sign)
{
    atomic {
        if
        :: sign > 0 -> parent_left[kind]++
        :: else -> child_left[kind]++
        fi;
        moving[kind]--
    }
}

inline give(kind, sign)
{
    if
    :: sign > 0 ->
#ifdef LATE_LIMIT
        atomic { child_left[kind]++; moving[kind]-- };
        child_limit[kind]++
#else
        child_limit[kind]++;
        atomic { child_left[kind]++; moving[kind]-- }
#endif
    :: else ->
        child_limit[kind]--;
        atomic { parent_left[kind]++; moving[kind]-- }
    fi
}

inline move(first, second)
{
    lock();
    if
#ifndef NO_LOOK
    :: dying -> skip
    :: !dying ->
#else
    :: true ->
#endif
        take(0, first, ok);
        if
        :: !ok -> skip
        :: ok ->
            take(1, second, ok);
            if
            :: ok -> give(0, first); give(1, second)
#ifdef ONE_KIND
            :: !ok -> moving[0]--
#else
            :: !ok -> put_back(0, first)
#endif
            fi
        fi
    fi;
    unlock()
}

inline use()
{
    charge(0, ok);
    if
    :: ok -> free(0)
    :: else -> skip
    fi
}

proctype charger()
{
    short old;
    bool ok;
    byte i;

    for (i : 1 .. 3) {
        use()
    }
    users--
}

proctype mover()
{
    short old;
    bool ok;
    byte i;

    for (i : 1 .. 3) {
        if
        :: move(1, 1)
        :: move(-1, -1)
        :: move(1, -1)
        :: move(-1, 1)
        :: !dying -> use()
        fi
    }
    users--
}

/* The end of the child: once nothing is charged to it and nobody can charge it, its limits go back. */
proctype ender()
{
    byte kind;

    lock();
    dying = true;
    unlock();
    charged[0] == 0 && charged[1] == 0;
    for (kind : 0 .. KINDS - 1) {
        parent_left[kind] = parent_left[kind] + child_limit[kind]
    }
    users == 0;
    for (kind : 0 .. KINDS - 1) {
        assert(parent_left[kind] == 2 * BEGIN)
    }
    over = true
}

#define within(kind)                                                                               \
    (child_left[kind] >= 0 && charged[kind] >= 0 &&                                                \
     child_left[kind] + charged[kind] <= child_limit[kind])

/* Q1 in every state. */
active proctype watch()
{
    end:
    do
    :: atomic { !within(0) || !within(1) -> assert(false) }
    :: over -> break
    od
}

init
{
    atomic { run charger(); run mover(); run ender() }
}

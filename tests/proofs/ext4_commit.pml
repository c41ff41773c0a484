/* SPDX-License-Identifier: MIT */
/*
 * ext4_commit.pml - commit, checkpoint and replay of ext4 (services/fs/ext4/core: commit.c, checkpoint.c, recover.c) when
 * the service dies or the power fails between any two requests of the disk, for the model checker spin.
 * tests/proofs/test_models.py runs it.
 *
 * Four operations on two blocks. A holds the metadata, and its content is the number of the last operation; X is first
 * a block of metadata too. 1 changes both; 2 frees X; 3 gives X out for data of a file, which is written in its
 * place; 4 changes A once more. Operations join the running transaction at any time. The log has room for
 * three transactions. The disk writes what is in its cache when it likes, a flush all of it.
 *
 * Two of these happen, anywhere, in a replay as well: the service dies, and its successor has all its memory and repeats
 * the step; it dies, and its memory is dropped (the log is replayed); the power fails, and what was in the disk's cache is lost
 * as well. Then A has to be at least what was synced (J3), X has to be what A says it is (J1, J2), and the replay may
 * be cut, too (J4).
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   DATA_LATE           a commit does not wait for the data of its files (step 1)
 *   NOT_FLUSHED         the commit block is written without a flush of what it says is there (step 3)
 *   ANSWERED_EARLY      who waits is answered before the commit block is durable (J3)
 *   DIRTY_IN_PLACE      a checkpoint writes what the running transaction has changed (J1)
 *   TAIL_EARLY          the log is given free before what it held is durable in its place
 *   GIVEN_EARLY         a freed block is given out before the commit (J2)
 *   NOT_REVOKED         a freed block is not revoked (J2)
 *   EMPTIED_EARLY       a replay empties the log before the copies are durable (J4)
 *   STEP_SAID_EARLY     the log is noted as written before it is, so that a successor leaves it out
 */
#define LOST 2       /* deaths and power cuts */
#define OPERATIONS 4
#define DATA 9       /* what is written to X as data */
#define NONE 255     /* nothing of this place is in the disk's cache */

/* Places on the disk. */
#define ROOM 3
#define A 0
#define X 1
#define TAIL 2 /* the superblock of the journal: the first transaction of the log */
#define COPY_A(s) (3 + (s) % ROOM)
#define COPY_X(s) (6 + (s) % ROOM)
#define DESCRIPTOR(s) (9 + (s) % ROOM)
#define COMMIT(s) (12 + (s) % ROOM)
#define PLACES 15
#define DESCRIBE(s, with_x, revokes) ((s) * 4 + (with_x) * 2 + (revokes))

byte disk[PLACES], cache[PLACES];
byte synced; /* the last operation that a client knows to be durable */
byte lost;

#define READ(p) (cache[p] != NONE -> cache[p] : disk[p])

#define put(p, value) cache[p] = (value)
#define put_durable(p, value) d_step { disk[p] = (value); cache[p] = NONE }
inline flush()
{
    d_step {
        i = 0;
        do
        :: i < PLACES && cache[i] != NONE -> disk[i] = cache[i]; cache[i] = NONE; i++
        :: i < PLACES && cache[i] == NONE -> i++
        :: else -> break
        od;
        i = 0
    }
}

/* The disk writes one of those that are in its cache. */
active proctype device()
{
    byte p;

end:
    do
    :: atomic { cache[p] != NONE -> disk[p] = cache[p]; cache[p] = NONE }
    :: p = (p + 1) % PLACES
    od
}

/* ---- The service. Its memory: ---- */

mtype = { IDLE, IN_DATA, IN_COPIES, IN_FLUSH, IN_BLOCK, IN_END, CHECK_WRITE, CHECK_FLUSH, CHECK_TAIL };
mtype step;
byte version, content_x;  /* of A and X */
bool dirty_a, dirty_x;    /* changed by the running transaction */
bool revokes, data_waits; /* X was freed in it; the data of X is not written yet */
bool checked_a, checked_x;
byte logged_a, logged_x;  /* the transaction whose copy is not in its place yet; 0: none */
byte freed_in;            /* the transaction that freed X, until it is committed; 0: none */
byte running, committing_version, tail;

#define COMMITTING (running - 1) /* between steps 2 and 5 */
#define BUSY (step == IN_FLUSH || step == IN_BLOCK || step == IN_END)

/* Between any two stores: death with all memory kept, death without it, or a power cut. */
inline mortal()
{
    if
    :: atomic { lost < LOST -> lost++; goto again }
    :: atomic { lost < LOST -> lost++; goto recover }
    :: atomic { lost < LOST -> lost++;
            d_step { i = 0; do :: i < PLACES -> cache[i] = NONE; i++ :: else -> break od; i = 0 };
            goto recover }
    :: skip
    fi
}

inline next_step(now) { step = now }

#ifdef GIVEN_EARLY
#define X_IS_FREE (version == 2)
#else
#define X_IS_FREE (version == 2 && freed_in == 0)
#endif

/* One operation happens wholly or not at all. */
inline operate()
{
    d_step {
        if
        :: version == 0 -> content_x = 1; dirty_x = true
        :: version == 1 -> dirty_x = false; freed_in = running
#ifndef NOT_REVOKED
            ; revokes = true
#endif
        :: version == 2 -> data_waits = true
        :: else -> skip
        fi;
        version++;
        dirty_a = true
    }
}

#define CAN_OPERATE (version < OPERATIONS && (version != 2 || X_IS_FREE))

inline write_data() { put(X, DATA); data_waits = false }

inline note_written()
{
    d_step {
        committing_version = version;
        if
        :: dirty_x -> logged_x = running
        :: else
        fi;
        logged_a = running;
        dirty_a = false;
        dirty_x = false;
        revokes = false;
        running++;
        step = IN_FLUSH
    }
}

inline write_log()
{
    d_step { at = running; about = DESCRIBE(running, dirty_x, revokes) };
#ifdef STEP_SAID_EARLY
    note_written();
#endif
    put(DESCRIPTOR(at), about);
    mortal();
    put(COPY_A(at), version);
    mortal();
    if
    :: about / 2 % 2 == 1 -> put(COPY_X(at), content_x); mortal()
    :: else
    fi;
#ifndef STEP_SAID_EARLY
    note_written();
#endif
    d_step { at = 0; about = 0 }
}

inline end_commit()
{
    d_step {
        synced = committing_version;
        if
        :: freed_in == COMMITTING -> freed_in = 0; logged_x = 0
        :: else
        fi;
        step = IDLE
    }
}

#ifdef DIRTY_IN_PLACE
#define IN_PLACE(logged, dirty) (logged != 0)
#else
#define IN_PLACE(logged, dirty) (logged != 0 && !dirty)
#endif

inline write_places()
{
    if
    :: IN_PLACE(logged_a, dirty_a) -> put(A, version); checked_a = true
    :: else
    fi;
    mortal();
    if
    :: IN_PLACE(logged_x, dirty_x) && freed_in == 0 -> put(X, content_x); checked_x = true
    :: else
    fi;
    mortal();
    step = CHECK_FLUSH
}

/* The oldest transaction that a block still needs. */
inline find_tail()
{
    d_step {
        if :: checked_a -> logged_a = 0 :: else fi;
        if :: checked_x -> logged_x = 0 :: else fi;
        checked_a = false;
        checked_x = false;
        tail = running;
        if :: logged_a != 0 && logged_a < tail -> tail = logged_a :: else fi;
        if :: logged_x != 0 && logged_x < tail -> tail = logged_x :: else fi
    }
}

/* ---- Replay ---- */

inline check()
{
    assert(version >= synced);
    assert(version != 0 || content_x == 0);
    assert(version != 1 || content_x == 1);
    assert(version < 3 || content_x == DATA)
}

inline begin()
{
    d_step {
        version = READ(A);
        content_x = READ(X);
        check();
        dirty_a = false; dirty_x = false; revokes = false; data_waits = false;
        checked_a = false; checked_x = false;
        logged_a = 0; logged_x = 0; freed_in = 0;
        committing_version = version;
        synced = version; /* whoever reads it may rely on it */
        step = IDLE
    }
}

active proctype service()
{
    byte i, at, about, revoked;

    d_step {
        do :: i < PLACES -> cache[i] = NONE; i++ :: else -> break od;
        i = 0;
        disk[TAIL] = 1
    };

recover:
    skip;
    d_step {
        tail = READ(TAIL);
        running = tail;
        revoked = 0;
        do
        :: running < tail + ROOM && READ(COMMIT(running)) == running && READ(DESCRIPTOR(running)) / 4 == running ->
            if
            :: READ(DESCRIPTOR(running)) % 2 == 1 -> revoked = running
            :: else
            fi;
            running++
        :: else -> break
        od;
        at = tail
    };
#ifdef EMPTIED_EARLY
    put_durable(TAIL, running);
    mortal();
#endif
    do
    :: at < running ->
        put(A, READ(COPY_A(at)));
        mortal();
        if
        :: READ(DESCRIPTOR(at)) / 2 % 2 == 1 && revoked < at -> put(X, READ(COPY_X(at))); mortal()
        :: else
        fi;
        at++
    :: else -> break
    od;
    flush();
    mortal();
    put_durable(TAIL, running);
    mortal();
    d_step { tail = running; at = 0; revoked = 0 };
    begin();

again:
end:
    do
    :: CAN_OPERATE && step != IN_COPIES -> operate()
    :: data_waits -> write_data(); mortal()
    :: step == IDLE && (dirty_a || dirty_x) && running - tail < ROOM -> next_step(IN_DATA)
    :: step == IN_DATA -> next_step(IN_COPIES) /* data is being written, and is waited for before the flush */
    :: step == IN_COPIES -> write_log();
#ifdef ANSWERED_EARLY
        synced = committing_version;
#endif
        mortal()
    :: step == IN_FLUSH ->
#ifndef DATA_LATE
        if
        :: data_waits -> write_data(); mortal()
        :: else
        fi;
#endif
#ifndef NOT_FLUSHED
        flush();
        mortal();
#endif
        next_step(IN_BLOCK)
    :: step == IN_BLOCK -> put_durable(COMMIT(COMMITTING), COMMITTING); mortal(); next_step(IN_END)
    :: step == IN_END -> end_commit(); mortal()
    :: step == IDLE && (logged_a != 0 || logged_x != 0 || running != tail) -> next_step(CHECK_WRITE)
    :: step == CHECK_WRITE -> write_places()
    :: step == CHECK_FLUSH ->
#ifndef TAIL_EARLY
        flush();
        mortal();
#endif
        next_step(CHECK_TAIL)
    :: step == CHECK_TAIL -> find_tail(); mortal(); put_durable(TAIL, tail); mortal(); step = IDLE
    :: atomic { lost < LOST -> lost++;
            d_step { i = 0; do :: i < PLACES -> cache[i] = NONE; i++ :: else -> break od; i = 0 };
            goto recover }
    od
}

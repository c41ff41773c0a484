/* SPDX-License-Identifier: MIT */
/*
 * ending.pml - how processes and threads end, on two cores: docs/ending.md,
 * kernel/object/process_end.c and thread_end.c, for the model checker spin.
 * tests/proofs/test_models.py runs it.
 *
 * A parent with a child, and a sibling of the parent; each has one thread, which does one thing at
 * any time: destroys a process, another thread, or nothing. So parent and child end at once,
 * waiters are killed, and two destroy each other, in every order that is possible.
 *
 * What the kernel does under a lock is one atomic step here. Priorities are left out: any work of a
 * core may come before any thread of it. In the end nothing is left undone.
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   NO_ROUND         a thread is taken out of its wait before all cores have seen that it is to die
 *   NO_PUT_BACK      the end of a process is not told of the last burial
 *   NO_LOOK          a thread that destroys another waits without a look at its own STOP_KILL
 *   NO_SERVICE       a core that waits for others does not answer them
 *   NO_OWNER         whoever marks a process that is dying already enters its end as well
 *   EARLY_CHILD      a child leaves its parent when it is dead, before those who wait have been
 *                    told
 */
#define CORES 2
#define PROCESSES 3 /* 0: the parent, 1: its child, 2: the sibling */
#define THREADS 3   /* each of the process with its number */

mtype:life = { ALIVE, DYING, DEAD, TOLD }
mtype:step = { CHILDREN, KILL, EVICT, BURIALS, TELL }
mtype:thread = { RUN, ENTERING, WAITS, CORPSE, GONE }

mtype:life life[PROCESSES] = ALIVE;
mtype:step progress[PROCESSES] = CHILDREN;
byte owner[PROCESSES];
byte entered[PROCESSES]; /* how often it is in a list */
bool running[PROCESSES]; /* a step of it runs */
bool away[PROCESSES];

mtype:thread state[THREADS] = RUN;
bool killed[THREADS];
bool acted[THREADS];
byte kept[THREADS];
byte buries[THREADS];      /* the core that made it dead */
bool to_bury[THREADS];
byte awaits[THREADS] = 255; /* a process; 10 and more: a thread */

bool asked[CORES]; /* for a quiescent point */

#define CORE_OF(t) ((t) % CORES)

/* ---- rounds ---- */

inline serve(c)
{
    asked[c] = false
}

/* Asks the other core and waits; this one answers meanwhile. */
inline round(c)
{
    asked[1 - c] = true;
    do
    :: !asked[1 - c] -> break
#ifndef NO_SERVICE
    :: asked[c] -> serve(c)
#endif
    od
}

/* ---- threads ---- */

inline make_dead(t, c)
{
    assert(state[t] != CORPSE && state[t] != GONE);
    state[t] = CORPSE;
    awaits[t] = 255;
    buries[t] = c;
    to_bury[t] = true
}

/* Once; one that runs, or is entering its wait, its core sees to. */
inline evict(t, c)
{
    atomic {
        if
        :: killed[t] && state[t] == WAITS -> make_dead(t, c)
        :: else -> skip
        fi
    }
}

/* Those who wait for `what` go on. */
inline wake(what)
{
    w = 0;
    do
    :: w == THREADS -> break
    :: else ->
        if
        :: state[w] == WAITS && awaits[w] == what ->
            awaits[w] = 255;
            state[w] = RUN
        :: else -> skip
        fi;
        w++
    od
}

inline bury(t)
{
    assert(state[t] == CORPSE);
    to_bury[t] = false;
    wake(10 + t);
    state[t] = GONE;
#ifndef NO_PUT_BACK
    if
    :: away[t] && progress[t] == BURIALS ->
        away[t] = false;
        entered[t]++
    :: else -> skip
    fi
#endif
}

/* ---- processes ---- */

inline mark(p, c)
{
    if
    :: life[p] == ALIVE ->
        life[p] = DYING;
        owner[p] = c;
        entered[p]++
#ifdef NO_OWNER
    :: life[p] == DYING ->
        owner[p] = c;
        entered[p]++
#endif
    :: else -> skip
    fi
}

inline put_back(p)
{
    if
    :: away[p] ->
        away[p] = false;
        entered[p]++
    :: else -> skip
    fi
}

#ifdef EARLY_CHILD
#define CHILD_IS_OFF (life[1] == TOLD || life[1] == DEAD)
#else
#define CHILD_IS_OFF (life[1] == TOLD)
#endif

#define AGAIN(p) entered[p]++; running[p] = false

inline end_children(p, c)
{
    atomic {
        if
        :: p == 0 && !CHILD_IS_OFF ->
            mark(1, c);
            away[p] = true;
            running[p] = false
        :: else ->
            progress[p] = KILL;
            AGAIN(p)
        fi
    }
}

inline end_kill(p, c)
{
    killed[p] = true;
#ifndef NO_ROUND
    round(c);
#endif
    atomic {
        progress[p] = EVICT;
        AGAIN(p)
    }
}

inline end_evict(p, c)
{
    evict(p, c);
    atomic {
        progress[p] = BURIALS;
        AGAIN(p)
    }
}

inline end_burials(p)
{
    atomic {
        if
        :: state[p] == GONE ->
            life[p] = DEAD;
            progress[p] = TELL;
            AGAIN(p)
        :: else ->
            away[p] = true;
            running[p] = false
        fi
    }
}

inline end_tell(p)
{
    atomic {
        assert(life[p] == DEAD && state[p] == GONE);
        assert(p != 0 || life[1] == TOLD); /* the parent pays for the child's record */
        wake(p);
        life[p] = TOLD;
        running[p] = false;
        if
        :: p == 1 && progress[0] == CHILDREN -> put_back(0)
        :: else -> skip
        fi
    }
}

inline end_step(p, c)
{
    atomic {
        assert(!running[p] && owner[p] == c); /* one owner, one step at a time */
        entered[p]--;
        running[p] = true
    }
    if
    :: progress[p] == CHILDREN -> end_children(p, c)
    :: progress[p] == KILL -> end_kill(p, c)
    :: progress[p] == EVICT -> end_evict(p, c)
    :: progress[p] == BURIALS -> end_burials(p)
    :: progress[p] == TELL -> end_tell(p)
    fi
}

/* ---- what a thread does in a system call ---- */

/* It begins to wait: there is no quiescent point between a look at STOP_KILL and being visible. */
inline begin_to_wait(t, what, over)
{
    state[t] = ENTERING;
    atomic {
        if
        :: over -> state[t] = RUN
        :: else ->
            awaits[t] = what;
            state[t] = WAITS
        fi
    }
}

inline destroy_process(t, q, c)
{
    atomic { mark(q, c) }
    begin_to_wait(t, q, life[q] == DEAD || life[q] == TOLD)
}

inline destroy_thread(t, u, c)
{
    bool ended = false;

    atomic {
        if
        :: state[u] == GONE -> ended = true
        :: else ->
            killed[u] = true;
            kept[u]++
        fi
    }
    if
    :: ended -> skip
    :: else ->
        round(c);
        evict(u, c);
#ifndef NO_LOOK
        if
        :: killed[t] -> atomic { kept[u]-- } /* it dies on the way out */
        :: else ->
#endif
            state[t] = ENTERING;
            atomic {
                kept[u]--;
                if
                :: state[u] == GONE -> state[t] = RUN
                :: else ->
                    awaits[t] = 10 + u;
                    state[t] = WAITS
                fi
            }
#ifndef NO_LOOK
        fi
#endif
    fi
}

/* The thread ends its own process. */
inline destroy_itself(t, c)
{
    atomic {
        mark(t, c);
        killed[t] = true
    }
}

inline act(t, c)
{
    acted[t] = true;
    if
    :: true -> skip
    :: destroy_itself(t, c)
    :: t == 0 -> destroy_process(t, 1, c)
    :: t == 0 -> destroy_process(t, 2, c)
    :: t == 1 -> destroy_process(t, 2, c) /* 0 is its ancestor */
    :: t == 2 -> destroy_process(t, 0, c)
    :: t == 2 -> destroy_process(t, 1, c)
    :: t != 0 -> destroy_thread(t, 0, c)
    :: t != 1 -> destroy_thread(t, 1, c)
    :: t != 2 -> destroy_thread(t, 2, c)
    fi
}

/* ---- cores ---- */

#define ON(t) (CORE_OF(t) == c && state[t] == RUN)

proctype core(byte c)
{
    byte w;

end:
    do
    :: asked[c] -> serve(c)
    /* on the way out of the kernel */
    :: ON(0) && killed[0] -> atomic { make_dead(0, c) }
    :: ON(1) && killed[1] -> atomic { make_dead(1, c) }
    :: ON(2) && killed[2] -> atomic { make_dead(2, c) }
    :: ON(0) && !killed[0] && !acted[0] -> act(0, c)
    :: ON(1) && !killed[1] && !acted[1] -> act(1, c)
    :: ON(2) && !killed[2] && !acted[2] -> act(2, c)
    :: atomic { to_bury[0] && buries[0] == c && kept[0] == 0 -> bury(0) }
    :: atomic { to_bury[1] && buries[1] == c && kept[1] == 0 -> bury(1) }
    :: atomic { to_bury[2] && buries[2] == c && kept[2] == 0 -> bury(2) }
    :: entered[0] > 0 && owner[0] == c -> end_step(0, c)
    :: entered[1] > 0 && owner[1] == c -> end_step(1, c)
    :: entered[2] > 0 && owner[2] == c -> end_step(2, c)
    od
}

#define SETTLED(p)                                                                                 \
    ((life[p] == ALIVE || (life[p] == TOLD && state[p] == GONE)) && !away[p] && entered[p] == 0 && \
     (!killed[p] || state[p] == GONE) && state[p] != WAITS && kept[p] == 0)

init {
    atomic {
        run core(0);
        run core(1)
    }
    timeout; /* nothing more can happen */
    assert(SETTLED(0) && SETTLED(1) && SETTLED(2))
}

/* SPDX-License-Identifier: MIT */
/*
 * net_direct.pml - a connection between two programs of one machine, whose bytes go from ring to ring (D1 and D2,
 * services/net/direct.c) or by segments, with a stack that dies between any two of its stores (docs/net-death.md), for the
 * model checker spin. tests/proofs/test_models.py runs it.
 *
 * A byte goes by a segment when the stack chooses so, as it does after a death: then it leaves the ring only with its
 * acknowledgement, and both may be lost. What has to hold: the receiver gets each byte once and in order, and the indexes
 * that a new run finds are such as its images allow. Bytes are numbered from 0, a byte's value is its number.
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   TWO_IMAGES     a byte leaves the sender in one image and reaches the receiver in another
 *   FREED_FIRST    the sender gets its place back before the image is made
 *   SHOWN_FIRST    the receiver sees the byte before the image is made
 *   NOT_WAITING    bytes are moved while a segment is on its way (D1)
 *   NO_WINDOW      bytes are moved that the receiver has no room for (D2)
 */
#define BYTES 4
#define ROOM 2
#define DEATHS 2
#define NOTHING 99

/* Shared with the programs: they outlive the stack. */
byte out_ring[ROOM], out_written, out_taken;
byte in_ring[ROOM], in_written, in_taken;

/* The images: the sender's first byte and what was sent of it, the receiver's next. */
byte k_first, k_next, k_received;

byte client_put, client_got, deaths;

#ifdef NOT_WAITING
#define NOTHING_IS_ON_ITS_WAY true
#else
#define NOTHING_IS_ON_ITS_WAY                                                                      \
    (segment == NOTHING && answer == NOTHING && next == first && received == first)
#endif
#ifdef NO_WINDOW
#define THERE_IS_ROOM true
#else
#define THERE_IS_ROOM (received - in_taken < ROOM)
#endif

active proctype sender()
{
end:
    do
    :: atomic { client_put < BYTES && client_put - out_taken < ROOM ->
            out_ring[client_put % ROOM] = client_put;
            client_put++;
            out_written = client_put
        }
    od
}

active proctype receiver()
{
end:
    do
    :: atomic { in_written > client_got ->
            assert(in_ring[client_got % ROOM] == client_got);
            client_got++;
            in_taken = client_got
        }
    od
}

#define MAY_DIE :: atomic { deaths < DEATHS -> deaths++; goto next_run }

active proctype stack()
{
    byte first, next, received;               /* its memory */
    byte segment = NOTHING, answer = NOTHING; /* on their way, in its memory, too */

next_run:
    atomic {
        first = k_first;
        next = k_first; /* all from there on is sent again */
        received = k_received;
        segment = NOTHING;
        answer = NOTHING;
        assert(out_written - first <= ROOM && client_got <= received);
        assert(k_first <= k_received && k_received <= k_next);
        in_written = k_received;
        out_taken = k_first
    }

pass:
end:
    if
    /* From ring to ring. */
    :: atomic { first < out_written && NOTHING_IS_ON_ITS_WAY && THERE_IS_ROOM ->
            in_ring[received % ROOM] = out_ring[first % ROOM];
            received++;
            first++;
            next = first
        }
    /* By a segment. */
    :: atomic { segment == NOTHING && next < out_written -> segment = next; next++ }
    :: atomic { segment != NOTHING ->
            if
            :: segment == received && received - in_taken < ROOM ->
                in_ring[received % ROOM] = out_ring[segment % ROOM];
                received++
            :: else
            fi;
            segment = NOTHING;
            answer = received
        }
    :: atomic { answer != NOTHING ->
            if
            :: answer > first -> first = answer; if :: next < first -> next = first :: else fi
            :: else
            fi;
            answer = NOTHING
        }
    :: atomic { segment != NOTHING -> segment = NOTHING } /* lost */
    :: atomic { answer != NOTHING -> answer = NOTHING }
    :: atomic { segment == NOTHING && answer == NOTHING && first < next -> next = first } /* again */
    MAY_DIE
    fi;

#ifdef FREED_FIRST
    out_taken = first;
    if :: true MAY_DIE fi;
#endif
#ifdef SHOWN_FIRST
    in_written = received;
    if :: true MAY_DIE fi;
#endif

    /* The image: one operation of the undo log. */
#ifdef TWO_IMAGES
    atomic { k_first = first; if :: next > k_next -> k_next = next :: else fi };
    if :: true MAY_DIE fi;
    k_received = received;
#else
    atomic { k_first = first; if :: next > k_next -> k_next = next :: else fi; k_received = received };
#endif
    if :: true MAY_DIE fi;

    /* What the programs see. */
    in_written = received;
    if :: true MAY_DIE fi;
    out_taken = first;
    goto pass
}

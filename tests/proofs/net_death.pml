/* SPDX-License-Identifier: MIT */
/*
 * net_death.pml - a connection of TCP whose stack dies between any two of its stores (docs/net-death.md), for the model
 * checker spin. tests/proofs/test_models.py runs it.
 *
 * The stack has bytes of two streams: one from its client to the peer, one from the peer to its client. Segments and
 * acknowledgements are lost at any time, as many as there are. A pass works in the stack's own memory, makes the image, and
 * then shows what it has done. What has to hold: the peer gets each byte of the client's once and in order, as the client
 * put it, and the client each of the peer's; what the peer counts as acknowledged the client gets; and the indexes that a
 * new run finds in the rings are such as its images allow (R1), else it would break the connection.
 * Bytes are numbered from 0, a ring has room for two, and a byte's value is its number.
 *
 * With one of these defined a mutant is checked, in which the checker must find an error:
 *   SHOWN_FIRST      bytes are shown to the client before the image is made (N1, N2)
 *   ANSWERED_FIRST   the peer has its acknowledgement before the image is made (N2)
 *   FREED_FIRST      the client gets its ring back before the image is made (N3)
 *   FREED_EARLY      the client gets its ring back when its bytes are sent, not when they are acknowledged (N3)
 *   SENT_FIRST       a segment leaves before the image is made: an acknowledgement of it is not believed (N3)
 *   TWO_IMAGES       what the peer is acknowledged and what the client is shown are two images (N2)
 */
#define BYTES 4
#define ROOM 2
#define DEATHS 2
#define NOTHING 99

/* Shared with the client: they outlive the stack. Indexes count bytes from the start. */
byte out_ring[ROOM], out_written, out_taken;
byte in_ring[ROOM], in_written, in_taken;

/* The images. */
byte k_acked, k_next, k_received, k_shown;

/* The network: one place each way; what is in it may be lost. */
byte data_number = NOTHING, data_value; /* from the stack */
byte ack_number = NOTHING;              /* from the peer, of that: what it waits for next */
byte coming = NOTHING;                  /* from the peer */
byte answer = NOTHING;                  /* from the stack, of that */

byte peer_got, peer_acked;
byte client_put, client_got;
byte deaths;

/* ---- The peer ---- */

active proctype peer()
{
end:
    do
    :: atomic { data_number != NOTHING ->
            if
            :: data_number == peer_got ->
                assert(data_value == peer_got); /* the client's byte, as it put it */
                peer_got++
            :: else
            fi;
            data_number = NOTHING;
            ack_number = peer_got
        }
    :: atomic { coming == NOTHING && peer_acked < BYTES -> coming = peer_acked }
    :: atomic { answer != NOTHING ->
            if
            :: answer > peer_acked -> peer_acked = answer
            :: else
            fi;
            answer = NOTHING
        }
    :: atomic { data_number != NOTHING -> data_number = NOTHING } /* lost */
    :: atomic { ack_number != NOTHING -> ack_number = NOTHING }
    :: atomic { coming != NOTHING -> coming = NOTHING }
    :: atomic { answer != NOTHING -> answer = NOTHING }
    od
}

/* ---- The client ---- */

active proctype client()
{
end:
    do
    :: atomic { client_put < BYTES && client_put - out_taken < ROOM ->
            out_ring[client_put % ROOM] = client_put;
            client_put++;
            out_written = client_put
        }
    :: atomic { in_written > client_got ->
            assert(in_ring[client_got % ROOM] == client_got);
            client_got++;
            in_taken = client_got
        }
    od
}

/* ---- The stack: one run after the other ---- */

#define MAY_DIE :: atomic { deaths < DEATHS -> deaths++; goto next_run }

active proctype stack()
{
    byte acked, next, received, shown; /* its memory */
    byte send, reply;           /* what the pass is to show */

next_run:
    atomic {
        acked = k_acked;
        next = k_next;
        received = k_received;
        shown = k_shown;
        assert(out_written - acked <= ROOM && client_got <= shown);
        send = NOTHING;
        reply = NOTHING;
        /* What the last run has recorded, and perhaps not shown. */
        in_written = k_shown;
#ifndef FREED_EARLY
        out_taken = k_acked
#endif
    }

pass:
end:
    /* Work. */
    if
    :: atomic { coming != NOTHING ->
            if
            :: coming == received && shown - in_taken < ROOM ->
                in_ring[shown % ROOM] = coming;
                received++;
                shown++
            :: else
            fi;
            coming = NOTHING;
            reply = received
        }
    :: atomic { ack_number != NOTHING ->
            /* More than was sent is not believed. */
            assert(ack_number <= next);
            if
            :: ack_number > acked -> acked = ack_number
            :: else
            fi;
            ack_number = NOTHING
        }
    :: atomic { next < out_written -> send = next; next++ }
    :: atomic { acked < next -> send = acked } /* again */
    MAY_DIE
    fi;

    /* Mutants: something is shown before the image is made. */
#ifdef SHOWN_FIRST
    in_written = shown;
    if :: true MAY_DIE fi;
#endif
#ifdef ANSWERED_FIRST
    atomic { if :: reply != NOTHING -> answer = reply :: else fi };
    if :: true MAY_DIE fi;
#endif
#ifdef FREED_FIRST
    out_taken = acked;
    if :: true MAY_DIE fi;
#endif
#ifdef SENT_FIRST
    atomic { if :: send != NOTHING -> data_number = send; data_value = out_ring[send % ROOM] :: else fi };
    if :: true MAY_DIE fi;
#endif

    /* The image: one operation of the undo log. */
#ifdef TWO_IMAGES
    atomic { k_acked = acked; k_next = next; k_received = received };
    if :: true MAY_DIE fi;
    k_shown = shown;
#else
    atomic { k_acked = acked; k_next = next; k_received = received; k_shown = shown };
#endif
    if :: true MAY_DIE fi;

    /* What others see. */
    in_written = shown;
    if :: true MAY_DIE fi;
#ifdef FREED_EARLY
    out_taken = next;
#else
    out_taken = acked;
#endif
    if :: true MAY_DIE fi;
    atomic { if :: reply != NOTHING -> answer = reply; reply = NOTHING :: else fi };
    if :: true MAY_DIE fi;
    atomic {
        if
        :: send != NOTHING -> data_number = send; data_value = out_ring[send % ROOM]; send = NOTHING
        :: else
        fi;
        /* N2: what is acknowledged is known to be in the ring. */
        assert(peer_acked <= k_shown);
        goto pass
    }
}

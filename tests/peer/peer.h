/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_PEER_H
#define TEST_PEER_H

/*
 * A TCP peer driven by hand, against one lane that lives on bare IP packets and a virtual clock.
 *
 * A test is a dialogue:
 *
 *	listens();
 *	peer_sends(SYN, 0, 0);
 *	expect(SYN | ACK, 0, 1);
 *	peer_sends(ACK, 1, 1, .len = 10);
 *	expect_received(10);
 *	expect_silence();
 *	advance(40);
 *	expect(ACK, 1, 11);
 *
 * Sequence numbers are relative to each side's initial one, which has number 0, so data begins at 1.
 * Payload is a pattern that depends on the sequence number; both sides' data is checked against it.
 * Every frame that the lane sends must be the next one that the test expects; each is checked for
 * what holds for every segment of every connection. On failure the dialogue so far is printed.
 *
 * The environment moves the initial sequence numbers of both sides, so that the same tests run across
 * every wrap [RFC9293-E34]: RILL_TEST_IRS (the peer's), RILL_TEST_ISS (the lane's); and has all of it
 * said over IPv6: RILL_TEST_FAMILY=6 (family.h).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rill/rill.h>

#include "family.h"
#include "wire.h"

#define PEER_FLOWS 128
#define LANE_PORT 80
#define PEER_PORT 40000
#define LANE_ACTIVE_PORT 50000 /* local port of connects() */
#define LANE_ADDR 0xc0000201u  /* 192.0.2.1 */
#define PEER_ADDR 0xc0000202u  /* 192.0.2.2 */
#define WND_ZERO (-1)
#define START_US 1000000000u

/* A segment of a dialogue: numbers are relative. */
struct say {
	uint8_t flags;
	uint32_t seq, ack;
	uint32_t len;
	/* The rest is optional. What is sent if it is left 0; expect() then does not look at it. */
	int32_t wnd;             /* as on the wire; 0: 65535; WND_ZERO: 0 */
	uint16_t urg;
	uint8_t has;             /* sent SYN: in place of what the set-up says; otherwise added */
	bool bare;               /* no option at all, not even the timestamp that is due */
	uint16_t mss;
	uint8_t wscale;
	uint32_t tsval, tsecr;   /* with HAS_TS; else what is due */
	uint16_t uto;            /* with HAS_UTO, as on the wire */
	uint8_t sack_count;
	struct wire_sack sack[WIRE_SACK_MAX];
	const uint8_t *options;  /* raw, in place of all others */
	uint8_t options_len;
	uint8_t reserved;        /* reserved bits */
	uint32_t saddr, daddr;   /* instead of the peer's and the lane's */
	uint8_t tos;             /* DSCP and the ECN bits; expect() never looks at it: see peer.got */
	uint8_t ecn;             /* the ECN bits alone, ECT0 or so; expect(): NOT_ECT if they must be 0 */
	uint8_t ttl;             /* 0: 64 */
	bool psh;                /* expect(): PSH must be set */
};

/* One connection as the peer sees it. */
struct flow {
	uint16_t peer_port, lane_port;
	bool ip6;
	uint32_t flow_label;     /* of the lane's packets; 0: not heard yet */
	uint32_t irs, iss;       /* the peer's and the lane's initial sequence numbers */
	bool iss_known;
	bool peer_ts, peer_sack, peer_ws, lane_ts, lane_sack, lane_ws; /* offered in the SYN */
	uint8_t lane_wscale, peer_wscale;
	uint32_t lane_tsval;     /* last heard */
	bool lane_ecn, peer_ecn; /* has ever sent an ECN-setup SYN or SYN,ACK; */
	bool lane_plain, peer_plain; /* a plain one [3168 6.1.1] */
	bool nxt_known;
	uint32_t lane_nxt;       /* end of what the lane has sent: absolute */
	bool edge_known, limit_known;
	uint32_t edge;           /* right edge that the lane offered: absolute */
	uint32_t limit;          /* right edge that the peer offered: absolute, the furthest ever */
};

/* What a lane and its peer are made from; zeroes are the defaults. */
struct peer_setup {
	struct rill_options options; /* .ttl == 0: the defaults */
	struct rill_limits limits;
	uint16_t mtu;            /* of IPv4: family_mtu makes it another */
	/* What the peer offers in its SYN. */
	uint16_t mss;                /* 0: 1460; 1: no option */
	bool ts, sack, ws;
	uint8_t wscale;
};

struct peer {
	struct rill_lane *lane;
	struct peer_setup setup;
	uint64_t now;
	struct flow flows[PEER_FLOWS];
	struct flow *flow;       /* the one that sends and is spoken of */
	struct wire got;         /* the segment that expect() saw last, numbers relative */
	uint64_t got_at;         /* when it was sent, µs */
	struct flow *got_flow;   /* on which connection */
	struct rill_stats seen;  /* counters when drops were last looked at */
};

extern struct peer peer;

/* A lane with default options, and an idle peer; and the end, which looks for anything left behind. */
int peer_up(void **state);
int peer_down(void **state);
/* The same with a set-up; a running lane is ended first. */
void peer_restart(const struct peer_setup *wanted);

/* A test between these two. */
#define dialogue(test_) cmocka_unit_test_setup_teardown(test_, peer_up, peer_down)

/* The default options, to be changed and put into a set-up. */
struct rill_options default_options(void);

/* ---- what the peer says */

#define peer_sends(flags_, seq_, ack_, ...)                                                        \
	peer_say(&(struct say){.flags = (flags_), .seq = (seq_), .ack = (ack_), ##__VA_ARGS__})
void peer_say(const struct say *say);
/* Bytes of a packet, as they are; and bytes that peer_sends would send, for a test to damage. */
void peer_sends_raw(const uint8_t *packet, size_t len);
size_t peer_packet(uint8_t *packet, const struct say *say);

/*
 * An ICMP error about a segment that the lane sent on the present flow, or might have sent. Types, codes
 * and MTUs are IPv4's; over IPv6 what means the same is said instead, unless they are ICMPv6's already.
 */
struct icmp_say {
	uint8_t type, code;
	uint16_t mtu;            /* of the next hop, in "fragmentation needed" */
	bool is_icmp6;           /* type, code and MTU are ICMPv6's */
	uint32_t seq;            /* of the quoted segment, relative */
	uint32_t from;           /* who says it; 0: the gateway */
	uint8_t quoted;          /* bytes of TCP header that are quoted; 0: 8 */
	bool truncated;          /* quotes less than an IP header */
	uint16_t peer_port;      /* quoted destination port in place of the flow's */
	bool bad_checksum;
};
void peer_sends_icmp(const struct icmp_say *say);
/* What is sent between these two arrives in one burst. */
void burst_begin(void);
void burst_end(void);
/* Another connection of the peer's: number 0 is the first. */
void peer_uses_flow(unsigned int number);
/* The present connection is history: the next SYN on this flow has relative number 0 again, which is
 * `ahead` beyond the old one. */
void peer_forgets(uint32_t ahead);

/*
 * From now on the peer takes at most per_turn frames in a turn and keeps them; nothing may change their
 * bytes until peer_releases frees them, the last first, and takes everything again.
 */
void peer_holds(unsigned int per_turn);
void peer_releases(void);

/* ---- what the lane says */

#define expect(flags_, seq_, ack_, ...)                                                            \
	expect_at(__FILE__, __LINE__, 0,                                                           \
		&(struct say){.flags = (flags_), .seq = (seq_), .ack = (ack_), ##__VA_ARGS__})
/* The lane says it within so many ms from now; time advances to that moment. */
#define expect_within(ms_, flags_, seq_, ack_, ...)                                                \
	expect_at(__FILE__, __LINE__, (ms_),                                                       \
		&(struct say){.flags = (flags_), .seq = (seq_), .ack = (ack_), ##__VA_ARGS__})
void expect_at(const char *file, int line, uint32_t within_ms, const struct say *say);
#define expect_silence() expect_silence_at(__FILE__, __LINE__)
void expect_silence_at(const char *file, int line);
/* Takes whatever comes next into peer.got; false when the lane is silent. */
bool hears(void);
/* The same, waiting for it; time advances to the moment at which the lane speaks. */
bool hears_within(uint64_t us);
/* Takes all that was said; returns how many segments. */
unsigned int hears_all(void);

/* ---- time */

void advance(uint32_t ms);
void advance_us(uint64_t us);
/* Turns at the present time until the lane wants none. */
void turn(void);

/* ---- looking */

#define expect_state(state_) expect_state_at(__FILE__, __LINE__, (state_))
void expect_state_at(const char *file, int line, enum rill_state state);
/* Exactly one packet was dropped since this was last asked, for this reason; or none at all. */
#define expect_drop(name_) expect_drops_at(__FILE__, __LINE__, RILL_DROP_##name_, 1)
#define expect_drops(name_, n_) expect_drops_at(__FILE__, __LINE__, RILL_DROP_##name_, (n_))
#define expect_no_drop() expect_drops_at(__FILE__, __LINE__, RILL_DROP_COUNT, 0)
void expect_drops_at(const char *file, int line, enum rill_drop reason, unsigned int n);
struct rill_stats stats(void);
struct rill_conn_info info(void);

/* Fails the test after printing the dialogue. */
#define check(cond_)                                                                               \
	((cond_) ? (void)0 : peer_fail(__FILE__, __LINE__, "not so: %s", #cond_))
#define check_equal(a_, b_) check_equal_at(__FILE__, __LINE__, #a_, (int64_t)(a_), (int64_t)(b_))
void check_equal_at(const char *file, int line, const char *what, int64_t is, int64_t want);
void peer_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));
/* A line of the dialogue. */
void peer_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The byte of the stream at a relative sequence number. */
static inline uint8_t
pattern(uint32_t seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8) * 13 + (seq >> 16) * 31 + 5);
}

#endif

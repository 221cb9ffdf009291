/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer_inner.h"

#define HEARD_MAX 4096
#define DIALOGUE_BYTES (256 * 1024)

struct peer_heard {
	uint64_t at;
	struct flow *flow;
	struct wire wire; /* absolute numbers */
};

static struct {
	struct peer_heard segments[HEARD_MAX];
	unsigned int head, count;
	char dialogue[DIALOGUE_BYTES];
	size_t dialogue_len;
} hear;

/* ---- the dialogue */

void
dialogue_reset(void)
{
	hear.dialogue_len = 0;
	hear.dialogue[0] = 0;
}

void
hear_reset(void)
{
	hear.head = hear.count = 0;
}

void
peer_note(const char *format, ...)
{
	char *at = hear.dialogue + hear.dialogue_len;
	size_t room = sizeof(hear.dialogue) - hear.dialogue_len;
	va_list args;
	int n;

	if (room < 400) { /* keep the latter half: the end is what matters */
		memmove(hear.dialogue, hear.dialogue + DIALOGUE_BYTES / 2,
			hear.dialogue_len - DIALOGUE_BYTES / 2);
		hear.dialogue_len -= DIALOGUE_BYTES / 2;
		at = hear.dialogue + hear.dialogue_len;
		room = sizeof(hear.dialogue) - hear.dialogue_len;
	}
	n = snprintf(at, room, "%12.3f ms  ", (double)(peer.now - START_US) / 1000);
	va_start(args, format);
	n += vsnprintf(at + n, room - (size_t)n - 1, format, args);
	va_end(args);
	at[n++] = '\n';
	at[n] = 0;
	hear.dialogue_len += (size_t)n;
}

void
peer_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "the dialogue so far:\n%s", hear.dialogue);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	_fail(file, line);
	abort();
}

void
check_equal_at(const char *file, int line, const char *what, int64_t is, int64_t want)
{
	if (is != want)
		peer_fail(file, line, "%s is %ld, should be %ld", what, (long)is, (long)want);
}

/* ---- what holds for every segment */

static void
complain(const char *what)
{
	peer_fail(__FILE__, __LINE__, "the lane's last segment: %s", what);
}

/* Does the first SACK block report a duplicate, which was acknowledged before? [RFC2883-1] */
static bool
is_dsack(const struct wire *wire)
{
	const struct wire_sack *first = &wire->sack[0];

	return wire->sack_count > 0 && seq_minus(first->right, first->left) > 0 &&
	       seq_minus(first->right, wire->ack) <= 0;
}

static void
check_options(const struct flow *flow, const struct wire *wire)
{
	bool ts = flow->peer_ts && flow->lane_ts;

	if (!(wire->flags & SYN) && wire->has & (HAS_MSS | HAS_WSCALE | HAS_SACK_OK))
		complain("MSS, window scale or SACK-permitted without SYN [MUST-65, RFC2018-1]");
	if (wire->has & HAS_UTO && (!peer.setup.options.user_timeout_option || wire->uto == 0))
		complain("user timeout of zero, or though it is off [RFC5482-1, RFC5482-2]");
	if (wire->flags & (SYN | RST))
		return;
	if (ts && !(wire->has & HAS_TS))
		complain("no timestamp though negotiated [RFC7323-10]");
	if (!ts && wire->has & HAS_TS)
		complain("timestamp though not negotiated [RFC7323-9]");
	if (wire->sack_count && !(flow->peer_sack && flow->lane_sack))
		complain("SACK blocks though not negotiated [RFC2018-2]");
	for (unsigned int i = is_dsack(wire); i < wire->sack_count; i++)
		if (seq_minus(wire->sack[i].right, wire->sack[i].left) <= 0 ||
			seq_minus(wire->sack[i].left, wire->ack) <= 0)
			complain("impossible SACK block [RFC2018-6]");
}

static void
check_flags(const struct wire *wire)
{
	if (!(wire->flags & (ACK | SYN | RST)))
		complain("neither ACK, SYN nor RST");
	if ((wire->flags & (SYN | RST)) == (SYN | RST) || (wire->flags & (SYN | FIN)) == (SYN | FIN))
		complain("flags that exclude each other");
	if (wire->flags & URG && !app_used_urgent())
		complain("URG though nothing urgent was sent [SHLD-13]");
}

bool
is_ecn_setup(const struct wire *syn)
{
	return (syn->flags & (ECE | CWR)) == (syn->flags & ACK ? ECE : ECE | CWR);
}

static void
check_ecn_flags(const struct flow *flow, const struct wire *wire)
{
	if (!(wire->flags & (ECE | CWR)))
		return;
	if (wire->flags & RST)
		complain("ECE or CWR on a RST");
	if (wire->flags & SYN) {
		if (!is_ecn_setup(wire))
			complain("a SYN with other ECN flags than an ECN-setup SYN [RFC3168-1]");
		if (wire->flags & ACK && (!flow->peer_ecn || flow->peer_plain))
			complain("an ECN-setup SYN,ACK that the peer did not ask for [RFC3168-1]");
		return;
	}
	if (!flow->lane_ecn || !flow->peer_ecn)
		complain("ECE or CWR though ECN was not negotiated [RFC3168-12]");
	if (wire->flags & CWR && (wire->tos & 3) != ECT0)
		complain("CWR on what is not new data [RFC3168-6]");
}

/* ECT(0) is for new data inside the window, once both sides have agreed. */
static void
check_ecn(struct flow *flow, const struct wire *wire)
{
	bool again = flow->nxt_known && seq_minus(flow->lane_nxt, wire->seq) > 0;

	check_ecn_flags(flow, wire);
	if (wire->len && (!flow->nxt_known || seq_minus(wire->seq + wire->len, flow->lane_nxt) > 0)) {
		flow->lane_nxt = wire->seq + wire->len;
		flow->nxt_known = true;
	}
	if ((wire->tos & 3) == 0)
		return;
	if ((wire->tos & 3) == ECT1)
		complain("ECT(1) [RFC8311-3]");
	if ((wire->tos & 3) == CE)
		complain("CE from a sender");
	if (!flow->lane_ecn || !flow->peer_ecn || flow->lane_plain || flow->peer_plain)
		complain("ECT though ECN was not negotiated [RFC3168-12]");
	if (wire->len == 0 || wire->flags & (SYN | RST))
		complain("ECT without data [RFC3168-2, RFC3168-5]");
	if (again)
		complain("ECT on a retransmission [RFC3168-5]");
	if (flow->limit_known && seq_minus(wire->seq, flow->limit) >= 0)
		complain("ECT on a window probe [RFC3168-5]");
}

/* The right edge never goes back, but for what a scaled window cannot express [SHLD-14]. */
static void
check_window(struct flow *flow, const struct wire *wire)
{
	unsigned int scale = flow->peer_ws && flow->lane_ws && !(wire->flags & SYN) ?
				     flow->lane_wscale : 0;
	uint32_t edge = wire->ack + ((uint32_t)wire->wnd << scale);

	if (!(wire->flags & ACK) || wire->flags & RST)
		return;
	if (flow->edge_known && seq_minus(edge, flow->edge) < 1 - (int32_t)(1u << scale))
		complain("the window's right edge went back [SHLD-14]");
	if (!flow->edge_known || seq_minus(edge, flow->edge) > 0)
		flow->edge = edge;
	flow->edge_known = true;
}

static void
check_data(const struct flow *flow, const struct wire *wire)
{
	if (wire->len && flow->limit_known &&
		seq_minus(wire->seq + wire->len, flow->limit) > 1)
		complain("data beyond the window that the peer offered [RFC5681-1]");
	for (uint32_t i = 0; i < wire->len; i++)
		if (wire->data[i] != pattern(wire->seq - flow->iss + i))
			complain("payload is not what the application wrote");
	if (wire->len && wire->flags & (SYN | RST))
		complain("payload on SYN or RST");
}

/* Each connection has a flow label of its own and keeps it [RFC8200-19]. */
static void
check_label(struct flow *flow, const struct wire *wire)
{
	if (!wire->ip6)
		return;
	if (wire->flow_label == 0)
		complain("no flow label [RFC8200-19]");
	if (flow->flow_label != 0 && flow->flow_label != wire->flow_label)
		complain("another flow label than before [RFC8200-19]");
	flow->flow_label = wire->flow_label;
}

static void
flow_learns(struct flow *flow, const struct wire *wire)
{
	if (wire->flags & SYN) {
		if (flow->iss_known && flow->iss != wire->seq)
			complain("another initial sequence number for the same connection");
		flow->iss = wire->seq;
		flow->iss_known = true;
		flow->lane_ts = wire->has & HAS_TS;
		flow->lane_sack = wire->has & HAS_SACK_OK;
		flow->lane_ws = wire->has & HAS_WSCALE;
		flow->lane_wscale = wire->wscale;
		*(is_ecn_setup(wire) ? &flow->lane_ecn : &flow->lane_plain) = true;
		if (wire->has & HAS_WSCALE && wire->wscale > 14)
			complain("window scale above 14 [RFC7323-6]");
	}
	if (wire->has & HAS_TS && !(wire->flags & RST))
		flow->lane_tsval = wire->tsval;
}

static void
wire_relative(const struct flow *flow, const struct wire *wire, struct wire *relative)
{
	*relative = *wire;
	relative->seq -= flow->iss;
	relative->ack -= flow->irs;
	for (unsigned int i = 0; i < wire->sack_count; i++) {
		relative->sack[i].left -= flow->irs;
		relative->sack[i].right -= flow->irs;
	}
}

void
hear_frame(const uint8_t *packet, size_t len)
{
	struct wire wire, relative;
	const char *complaint = wire_read(packet, len, &wire);
	struct flow *flow;
	char text[256];

	if (complaint != NULL)
		complain(complaint);
	flow = flow_find(&wire);
	if (flow == NULL)
		peer_fail(__FILE__, __LINE__, "a segment from port %u to %u, which nobody asked for",
			wire.sport, wire.dport);
	flow_learns(flow, &wire);
	wire_relative(flow, &wire, &relative);
	peer_note("lane        %s", wire_text(text, sizeof(text), &relative));
	check_label(flow, &wire);
	if (len > family_mtu(peer.setup.mtu))
		complain("longer than the MTU");
	check_flags(&wire);
	check_ecn(flow, &wire);
	check_options(flow, &wire);
	check_window(flow, &wire);
	check_data(flow, &wire);
	if (hear.head + hear.count == HEARD_MAX)
		peer_fail(__FILE__, __LINE__, "more segments than a test can mean");
	wire.data = NULL;
	wire.options = NULL;
	hear.segments[hear.head + hear.count++] =
		(struct peer_heard){.at = peer.now, .flow = flow, .wire = wire};
}

/* ---- expecting */

static bool
take(struct peer_heard *heard)
{
	if (hear.count == 0)
		return false;
	*heard = hear.segments[hear.head++];
	if (--hear.count == 0)
		hear.head = 0;
	wire_relative(heard->flow, &heard->wire, &peer.got);
	peer.got_at = heard->at;
	peer.got_flow = heard->flow;
	return true;
}

bool
hears(void)
{
	struct peer_heard heard;

	return take(&heard);
}

unsigned int
hears_all(void)
{
	unsigned int n = 0;

	while (hears())
		n++;
	return n;
}

static const char *
differs(const struct say *say, const struct wire *got)
{
	if ((got->flags & ~PSH) != (say->flags & ~PSH))
		return "flags";
	if (got->seq != say->seq)
		return "seq";
	if (say->flags & ACK && got->ack != say->ack)
		return "ack";
	if (got->len != say->len)
		return "len";
	if (say->wnd && got->wnd != (say->wnd == WND_ZERO ? 0 : say->wnd))
		return "wnd";
	if (say->urg && got->urg != say->urg)
		return "urg";
	if ((say->has & got->has) != say->has)
		return "options";
	if (say->mss && got->mss != say->mss)
		return "mss";
	if (say->sack_count != got->sack_count && say->sack_count)
		return "number of SACK blocks";
	for (unsigned int i = 0; i < say->sack_count; i++)
		if (say->sack[i].left != got->sack[i].left || say->sack[i].right != got->sack[i].right)
			return "SACK blocks";
	if (say->ecn && (got->tos & 3) != (say->ecn & 3))
		return "ECN bits";
	if (say->psh && !(got->flags & PSH))
		return "PSH";
	return NULL;
}

/* Time moves from deadline to deadline until the lane speaks. */
static void
wait_for_speech(uint64_t within_us)
{
	uint64_t until = peer.now + within_us, deadline;

	while (hear.count == 0 && (deadline = rill_lane_deadline(peer.lane)) <= until) {
		peer.now = RTE_MAX(peer.now, deadline);
		turn();
	}
}

bool
hears_within(uint64_t us)
{
	wait_for_speech(us);
	return hears();
}

void
expect_at(const char *file, int line, uint32_t within_ms, const struct say *say)
{
	struct peer_heard heard;
	const char *difference;
	char is[256], want[256];
	struct wire wish = {.flags = say->flags, .seq = say->seq, .ack = say->ack, .len = say->len,
		.wnd = (uint16_t)(say->wnd == WND_ZERO ? 0 : say->wnd), .has = say->has};

	wire_text(want, sizeof(want), &wish);
	wait_for_speech((uint64_t)within_ms * 1000);
	if (!take(&heard))
		peer_fail(file, line, "the lane is silent; expected %s", want);
	difference = heard.flow != peer.flow ? "connection" : differs(say, &peer.got);
	if (difference != NULL)
		peer_fail(file, line, "wrong %s: expected %s\n                 but it was %s",
			difference, want, wire_text(is, sizeof(is), &peer.got));
}

void
expect_silence_at(const char *file, int line)
{
	struct peer_heard heard;
	char is[256];

	if (take(&heard))
		peer_fail(file, line, "expected silence, but heard %s",
			wire_text(is, sizeof(is), &peer.got));
}

/* ---- looking */

static enum rill_state
tuple_state(void)
{
	struct rill_endpoint local = {.addr = family_addr_of(LANE_ADDR), .port = peer.flow->lane_port},
			     remote = {.addr = family_addr_of(PEER_ADDR), .port = peer.flow->peer_port};

	return rill_lane_tuple_info(peer.lane, &local, &remote);
}

void
expect_state_at(const char *file, int line, enum rill_state state)
{
	enum rill_state is = tuple_state();

	if (is != state)
		peer_fail(file, line, "state is %s, should be %s", rill_state_name(is),
			rill_state_name(state));
}

void
expect_drops_at(const char *file, int line, enum rill_drop reason, unsigned int n)
{
	struct rill_stats now = stats();

	for (enum rill_drop i = 0; i < RILL_DROP_COUNT; i++) {
		uint64_t more = now.drops[i] - peer.seen.drops[i];

		if (more != (i == reason ? n : 0))
			peer_fail(file, line, "%lu packets dropped as %s", (unsigned long)more,
				rill_drop_name(i));
	}
	peer.seen = now;
}

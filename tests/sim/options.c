/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of a session's ends: every one that changes what a connection does is drawn, within
 * what still lets an honest session end as planned; and what changes while it runs. */
#include <errno.h>

#include <rte_common.h>

#include "session.h"

#define MSS_FLOOR_USUAL 216      /* less would crawl: see draw_plan */
#define LONGEST_OUTAGE_MS 120000 /* keepalive probes outlive every outage, */
#define UNSEEN_TIMEOUT_MS 600000 /* and the user timeout of the patient every honest silence */
#define CHANGE_US (2 * SECOND)   /* from one change to the next, at most */

static bool
draw_bool(struct chance *c)
{
	return chance_below(c, 2) != 0;
}

/* How segments are formed and acknowledged. */
static void
draw_segments(struct chance *c, struct rill_options *o)
{
	o->nodelay = draw_bool(c);
	o->cork = chance_one_in(c, 8);
	if (chance_one_in(c, 3))
		o->mss = (int32_t)chance_size(c, 64, 1460);
	if (chance_one_in(c, 3))
		o->mss_floor = (int32_t)chance_size(c, MSS_FLOOR_USUAL, 1220);
	o->delayed_ack_us = chance_one_in(c, 4) ? 0 : (int32_t)chance_size(c, 1, 499999);
	o->ttl = 1 + (int32_t)chance_below(c, 255);
	o->dscp = (int32_t)chance_below(c, 64);
}

static void
draw_negotiated(struct chance *c, struct rill_options *o)
{
	o->sack = !chance_one_in(c, 3);
	o->dsack = !chance_one_in(c, 3);
	o->timestamps = !chance_one_in(c, 3);
	o->window_scale = !chance_one_in(c, 4);
	o->ecn = !chance_one_in(c, 3);
}

static void
draw_sending(struct chance *c, struct rill_options *o)
{
	o->rcvbuf = (int32_t)chance_size(c, 2048, 1u << 20);
	o->sndbuf = chance_one_in(c, 4) ? 0 : (int32_t)chance_size(c, 2048, 1u << 20);
	o->congestion_control = (int32_t)chance_below(c, RILL_CC_COUNT);
	o->initial_window = 1 + (int32_t)chance_below(c, 10);
	o->slow_start_after_idle = draw_bool(c);
	if (chance_one_in(c, 2))
		o->rto_initial_us = (int32_t)chance_size(c, MS, 3 * SECOND);
	if (chance_one_in(c, 2))
		o->rto_min_us = (int32_t)chance_size(c, MS, 2 * SECOND);
	/* A router that drops for good in silence must be noticed in the end. */
	o->black_hole_retries = 1 + (int32_t)chance_below(c, 4);
	o->pmtu_min = (int32_t)chance_size(c, 128, PATH_MTU_LEAST);
	o->pmtu_probing = !chance_one_in(c, 3);
}

/* What bounds how long others are waited for: long enough for every planned fault. */
static void
draw_patience(struct chance *c, struct rill_options *o)
{
	o->retries = 40;
	o->syn_retries = 15;
	o->synack_retries = 15;
	o->keepalive_interval_ms = (int32_t)chance_size(c, 500, 20000);
	o->keepalive_count = RTE_MIN(255, 1 + LONGEST_OUTAGE_MS / o->keepalive_interval_ms);
	if (chance_one_in(c, 4))
		o->user_timeout_ms = (int32_t)chance_size(c, UNSEEN_TIMEOUT_MS, INT32_MAX);
	o->user_timeout_option = draw_bool(c);
	o->fin_wait2_ms = chance_one_in(c, 4) ? 0 : o->fin_wait2_ms;
	/* Under pressure a listener forgets half-open peers soon, which is no fault. */
	o->backlog = (int32_t)chance_size(c, 2 * SESSIONS_MAX, 1024);
	o->challenge_acks = 1 + (int32_t)chance_below(c, 15);
	o->syn_cookies = draw_bool(c);
	o->soft_errors = draw_bool(c);
}

/* Of a session whose end is chance anyway: what ends connections early. */
static void
draw_impatience(struct chance *c, struct rill_options *o)
{
	o->keepalive_idle_ms = (int32_t)chance_size(c, 100, 5000);
	if (draw_bool(c))
		o->keepalive_count = (int32_t)chance_size(c, 1, 100);
	if (draw_bool(c))
		o->user_timeout_ms = (int32_t)chance_size(c, 1, 30000);
	if (draw_bool(c))
		o->linger_ms = (int32_t)chance_size(c, 0, 5000);
	if (draw_bool(c))
		o->fin_wait2_ms = (int32_t)chance_size(c, 1, 5000);
	if (draw_bool(c))
		o->retries = (int32_t)chance_size(c, 3, 10);
	if (draw_bool(c))
		o->syn_retries = o->synack_retries = (int32_t)chance_below(c, 6);
}

void
options_draw(const struct session *s, struct rill_options *o)
{
	struct chance *c = &s->world->app;

	rill_options_default(o);
	draw_segments(c, o);
	draw_negotiated(c, o);
	draw_sending(c, o);
	draw_patience(c, o);
	/* A side that hears of the other's end by nothing else finds out by asking. */
	if (s->plan == PLAN_ABORT || s->plan == PLAN_DESERT || chance_one_in(c, 4))
		o->keepalive_idle_ms = 5000;
	if (s->impatient)
		draw_impatience(c, o);
	if (s->plan != PLAN_ECHO && s->plan != PLAN_MANY)
		o->manual_consume = chance_one_in(c, 4);
}

/* ---- while the connection runs */

/* Those that a running connection may change; the rest of the list is tied to the plan. */
static const enum rill_option changeable[] = {RILL_OPT_nodelay, RILL_OPT_cork,
	RILL_OPT_delayed_ack_us, RILL_OPT_ttl, RILL_OPT_dscp, RILL_OPT_sack, RILL_OPT_dsack,
	RILL_OPT_timestamps, RILL_OPT_window_scale, RILL_OPT_ecn, RILL_OPT_congestion_control,
	RILL_OPT_congestion_control, RILL_OPT_initial_window, RILL_OPT_slow_start_after_idle,
	RILL_OPT_rto_initial_us, RILL_OPT_rto_min_us, RILL_OPT_black_hole_retries,
	RILL_OPT_pmtu_min, RILL_OPT_pmtu_probing, RILL_OPT_mss, RILL_OPT_mss_floor,
	RILL_OPT_user_timeout_ms, RILL_OPT_user_timeout_option, RILL_OPT_challenge_acks,
	RILL_OPT_soft_errors, RILL_OPT_rcvbuf, RILL_OPT_keepalive_idle_ms};

static int32_t
option_of(const struct rill_options *o, enum rill_option option)
{
	switch (option) {
#define X(name, def, least, most, text)                                                            \
	case RILL_OPT_##name:                                                                      \
		return o->name;
		RILL_OPTION_LIST(X)
#undef X
	default:
		return 0;
	}
}

static void
change_one(void *arg, uint64_t value)
{
	struct end *end = arg;
	struct chance *c = &end->session->world->app;
	enum rill_option option = changeable[chance_below(c, RTE_DIM(changeable))];
	struct rill_options drawn;
	int rc;

	options_draw(end->session, &drawn);
	/* An echo's queue was made for its receive buffer. */
	if (end->conn != NULL && !(option == RILL_OPT_rcvbuf && end->session->plan == PLAN_ECHO)) {
		end_trace(end, rill_option_name(option));
		rc = rill_set(end->conn, option, option_of(&drawn, option));
		if (rc != -EBUSY && rc != -ENOTCONN) /* too early or too late */
			end_expect(end, "rill_set", rc);
	}
	options_change_later(end, (unsigned int)value);
}

void
options_change_later(struct end *end, unsigned int times)
{
	struct world *world = end->session->world;

	if (times > 0)
		world_after(
			world, chance_size(&world->app, 1, CHANGE_US), change_one, end, times - 1);
}

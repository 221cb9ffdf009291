/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_rill.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <rte_mbuf.h>

struct fake fake;

/* There is one of each; the application only ever sees their addresses. */
static char lane_place, conn_place;
#define LANE ((struct rill_lane *)&lane_place)
#define CONN ((struct rill_conn *)&conn_place)

#define TIMERS_MAX 8
static struct rill_timer *timers[TIMERS_MAX];

uint32_t
fake_random(uint32_t below)
{
	fake.rng = fake.rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(((fake.rng >> 33) * below) >> 31);
}

/* The deadline of a timer that runs lives in opaque[0]. */
static uint64_t
timer_deadline(const struct rill_timer *timer)
{
	return (uint64_t)(uintptr_t)timer->opaque[0];
}

void
fake_open(const struct rill_handler *handler, void *lane_user, void *conn_user, uint64_t seed,
	unsigned int refuse_percent)
{
	uint8_t *sent = fake.sent != NULL ? fake.sent : malloc(FAKE_SENT_MAX);

	assert_non_null(sent);
	memset(timers, 0, sizeof(timers));
	fake = (struct fake){
		.handler = handler,
		.lane_user = lane_user,
		.conn_user = conn_user,
		.now_us = 1000000,
		.rng = seed * 2 + 1,
		.sndbuf = 262144,
		.refuse_percent = refuse_percent,
		.sent = sent,
	};
	fake.in_callback = true;
	fake.handler->on_open(CONN);
	fake.in_callback = false;
}

static void
tell_close(enum rill_close_reason why)
{
	if (fake.close_told)
		return;
	fake.close_told = true;
	fake.in_callback = true;
	fake.handler->on_close(CONN, why);
	fake.in_callback = false;
	rte_pktmbuf_free(fake.kept);
	fake.kept = NULL;
}

/* What a real turn does after a callback. */
static void
after_callback(void)
{
	fake.in_callback = false;
	if (fake.end == FAKE_ABORTED)
		tell_close(RILL_CLOSE_ABORTED);
}

void
fake_deliver(struct rte_mbuf *data)
{
	if (fake.end != FAKE_OPEN) {
		rte_pktmbuf_free(data);
		return;
	}
	if (fake.paused || fake.kept != NULL) {
		if (fake.kept == NULL)
			fake.kept = data;
		else
			assert_int_equal(rte_pktmbuf_chain(fake.kept, data), 0);
		return;
	}
	fake.in_callback = true;
	fake.handler->on_data(CONN, data);
	after_callback();
}

static void
tell_eof(void)
{
	if (!fake.eof || fake.eof_told || fake.paused || fake.kept != NULL || fake.end != FAKE_OPEN)
		return;
	fake.eof_told = true;
	fake.in_callback = true;
	fake.handler->on_eof(CONN);
	after_callback();
}

void
fake_eof(void)
{
	fake.eof = true;
	tell_eof();
}

bool
fake_step(void)
{
	bool busy = false;

	if (!fake.paused && fake.kept != NULL && fake.end == FAKE_OPEN) {
		struct rte_mbuf *data = fake.kept;

		fake.kept = NULL;
		fake_deliver(data);
		busy = true;
	}
	if (fake.end == FAKE_ABORTED)
		return busy;
	if (fake.acked < fake.sent_len || fake.owed) {
		uint32_t some = fake.sent_len - fake.acked;

		if (some > 1)
			some = 1 + fake_random(some);
		fake.acked += some;
		fake.owed = false;
		fake.in_callback = true;
		fake.handler->on_sent(CONN, some);
		after_callback();
		busy = true;
	}
	if (fake.eof && !fake.eof_told && !fake.paused && fake.end == FAKE_OPEN) {
		tell_eof();
		busy = true;
	}
	if ((fake.end == FAKE_CLOSED || (fake.fin && fake.eof_told)) && fake.acked == fake.sent_len)
		tell_close(RILL_CLOSE_DONE);
	return busy;
}

void
fake_advance(uint64_t us)
{
	uint64_t until = fake.now_us + us;

	for (;;) {
		struct rill_timer **next = NULL;

		for (size_t i = 0; i < TIMERS_MAX; i++)
			if (timers[i] != NULL &&
				(next == NULL ||
					timer_deadline(timers[i]) < timer_deadline(*next)))
				next = &timers[i];
		if (next == NULL || timer_deadline(*next) > until)
			break;
		struct rill_timer *timer = *next;

		fake.now_us = timer_deadline(timer);
		*next = NULL;
		timer->opaque[0] = NULL;
		fake.in_callback = true;
		timer->fn(LANE, timer);
		after_callback();
	}
	fake.now_us = until;
}

unsigned int
fake_timers(void)
{
	unsigned int n = 0;

	for (size_t i = 0; i < TIMERS_MAX; i++)
		n += timers[i] != NULL;
	return n;
}

void
fake_lose(enum rill_close_reason why)
{
	fake.end = FAKE_ABORTED;
	tell_close(why);
}

/* The calls. */

/* Whether a send is refused, and how. */
static int
refusal(uint32_t len)
{
	if (fake.end == FAKE_ABORTED || fake.close_told)
		return -ENOTCONN;
	if (fake.fin)
		return -EPIPE;
	if (len > fake.sndbuf)
		return -EMSGSIZE;
	if (fake.sent_len - fake.acked + len > fake.sndbuf ||
		fake_random(100) < fake.refuse_percent) {
		fake.refusals++;
		if (fake.short_of_buffers && fake_random(2) == 0)
			return -ENOBUFS; /* and nothing promised */
		fake.owed = true;
		return -EAGAIN;
	}
	return 0;
}

static void
collect(const void *data, uint32_t len)
{
	assert_true(len <= FAKE_SENT_MAX - fake.sent_len);
	memcpy(fake.sent + fake.sent_len, data, len);
	fake.sent_len += len;
}

int
rill_send(struct rill_conn *conn, struct rte_mbuf *data)
{
	int rc;

	assert_true(fake.in_callback && !fake.fin);
	rte_mbuf_sanity_check(data, 1);
	rc = refusal(data->pkt_len);
	if (rc != 0)
		return rc;
	for (const struct rte_mbuf *m = data; m != NULL; m = m->next)
		collect(rte_pktmbuf_mtod(m, const void *), m->data_len);
	rte_pktmbuf_free(data);
	return 0;
}

int
rill_write(struct rill_conn *conn, const void *data, uint32_t len)
{
	uint32_t room = fake.sndbuf - (fake.sent_len - fake.acked);
	int rc;

	assert_true(fake.in_callback && len > 0 && !fake.fin);
	rc = refusal(room == 0 ? 1 : 0);
	if (rc != 0)
		return rc;
	if (len > room)
		len = room;
	if (fake.refuse_percent > 0)
		len = 1 + fake_random(len);
	collect(data, len);
	return (int)len;
}

int
rill_pause(struct rill_conn *conn)
{
	assert_true(fake.in_callback && fake.end == FAKE_OPEN && !fake.paused);
	fake.paused = true;
	fake.pauses++;
	return 0;
}

int
rill_resume(struct rill_conn *conn)
{
	assert_true(fake.in_callback && fake.end == FAKE_OPEN && fake.paused);
	fake.paused = false;
	return 0;
}

int
rill_shutdown(struct rill_conn *conn)
{
	assert_true(fake.in_callback && fake.end == FAKE_OPEN && !fake.fin);
	fake.fin = true;
	return 0;
}

int
rill_close(struct rill_conn *conn)
{
	assert_true(fake.in_callback && fake.end == FAKE_OPEN);
	fake.fin = true;
	fake.end = FAKE_CLOSED;
	return 0;
}

int
rill_abort(struct rill_conn *conn)
{
	assert_true(fake.in_callback && fake.end != FAKE_ABORTED);
	fake.end = FAKE_ABORTED;
	return 0;
}

int
rill_conn_info(struct rill_conn *conn, struct rill_conn_info *info)
{
	bool open = fake.end == FAKE_OPEN && !fake.fin && !fake.eof;

	*info = (struct rill_conn_info){
		.state = open ? RILL_ESTABLISHED : RILL_FIN_WAIT_1,
		.snd_queued = fake.sent_len - fake.acked,
	};
	return 0;
}

void *
rill_conn_user(const struct rill_conn *conn)
{
	return fake.conn_user;
}

void
rill_conn_set_user(struct rill_conn *conn, void *user)
{
	fake.conn_user = user;
}

struct rill_lane *
rill_conn_lane(const struct rill_conn *conn)
{
	return LANE;
}

void *
rill_lane_user(const struct rill_lane *lane)
{
	return fake.lane_user;
}

uint64_t
rill_lane_now(const struct rill_lane *lane)
{
	return fake.now_us;
}

int
rill_timer_start(struct rill_lane *lane, struct rill_timer *timer, uint64_t delay_us)
{
	assert_non_null(timer->fn);
	assert_true(delay_us <= 8000000000u); /* two hours: Rill's limit is a little more */
	rill_timer_stop(lane, timer);
	for (size_t i = 0; i < TIMERS_MAX; i++)
		if (timers[i] == NULL) {
			timers[i] = timer;
			timer->opaque[0] = (void *)(uintptr_t)(fake.now_us + delay_us);
			return 0;
		}
	fail_msg("more than %d timers", TIMERS_MAX);
	return -EINVAL;
}

int
rill_timer_stop(struct rill_lane *lane, struct rill_timer *timer)
{
	for (size_t i = 0; i < TIMERS_MAX; i++)
		if (timers[i] == timer) {
			timers[i] = NULL;
			timer->opaque[0] = NULL;
			return 1;
		}
	return 0;
}

const char *
rill_close_reason_name(enum rill_close_reason why)
{
	return "";
}

/* For the options: IPv4 only. */
enum rill_cc
rill_cc_by_name(const char *name)
{
	static const char *const names[] = {"cubic", "newreno", "none", "dctcp", "bbr"};

	for (unsigned int i = 0; i < RILL_CC_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return RILL_CC_COUNT;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "lane.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "session.h"

static const enum load_kind held_kinds[] = {LOAD_ECHO, LOAD_UPLOAD, LOAD_DOWNLOAD, LOAD_IDLE};

#define HELD_KINDS (sizeof(held_kinds) / sizeof(held_kinds[0]))
/* Sessions beyond those wanted: connections that have ended and whose on_close is still to come. */
#define SESSIONS_SPARE 1024u

/* Bytes of payload that a buffer holds for sure, on paths of ordinary MTU. */
#define BUFFER_BYTES 1024u
#define UPLOAD_SNDBUF_LEAST 16384u
#define UPLOAD_SNDBUF_MOST (4u << 20)

void
load_conn_options(const struct load_settings *settings, uint32_t uploads,
	struct rill_options *options)
{
	uint64_t sndbuf = UPLOAD_SNDBUF_MOST;

	rill_options_default(options);
	options->nodelay = 1; /* a request is to leave when it is due */
	options->congestion_control = (int32_t)settings->host.congestion_control;
	if (uploads == 0)
		return;
	if (sndbuf > (uint64_t)settings->buffers / 2 * BUFFER_BYTES / uploads)
		sndbuf = (uint64_t)settings->buffers / 2 * BUFFER_BYTES / uploads;
	options->sndbuf = (int32_t)(sndbuf > UPLOAD_SNDBUF_LEAST ? sndbuf : UPLOAD_SNDBUF_LEAST);
}

int
load_lane_init(struct load_lane *lane, const struct load_settings *settings,
	const struct payload *payload, unsigned int index, unsigned int lanes)
{
	memset(lane, 0, sizeof(*lane));
	lane->settings = settings;
	lane->payload = payload;
	lane->port = share_port(index, lanes, settings->host.devs_count);
	lane->targets = load_targets_total(settings);
	lane->next_us = SCHEDULE_NEVER;
	lane->next_pair = index; /* lanes begin at different targets */
	share_of_lane(&lane->share, settings, index, lanes);
	load_conn_options(settings, lane->share.wanted[LOAD_UPLOAD], &lane->upload_options);
	return pool_init(&lane->sessions, session_size(settings->pipeline),
		share_connections(&lane->share) + SESSIONS_SPARE);
}

void
load_lane_fini(struct load_lane *lane)
{
	pool_fini(&lane->sessions);
}

/* ---- connections */

/* The next pair of source and target. Returns 0, or a negative errno (counted). */
static int
begin_connection(struct load_lane *lane, enum load_kind kind, uint64_t due_us)
{
	const struct load_settings *settings = lane->settings;
	uint32_t pair = lane->next_pair++;
	struct rill_endpoint local = {.port = 0}, remote;
	int rc;

	remote = load_target_at(settings, pair / settings->sources % lane->targets);
	local.addr = load_source_towards(settings, lane->port, &remote.addr, pair % settings->sources);
	rc = session_begin(lane, kind, due_us, settings->sources > 1 ? &local : NULL, &remote);
	if (rc != 0)
		LOAD_COUNT(lane, not_begun);
	else
		lane->begun[kind]++;
	return rc;
}

/* Opens held connections that are missing, as many as may be in their handshake. */
static void
fill(struct load_lane *lane)
{
	uint64_t now = load_lane_now(lane);

	for (size_t i = 0; i < HELD_KINDS; i++) {
		enum load_kind kind = held_kinds[i];

		while (lane->begun[kind] < lane->share.wanted[kind]) {
			if (lane->opening == lane->settings->opening ||
				begin_connection(lane, kind, now) != 0)
				return;
			lane->opening++;
		}
	}
}

/* Without a rate, something is always due until the end. */
static bool
is_running(const struct load_lane *lane)
{
	return lane->phase == PHASE_RUNNING && load_lane_now(lane) < lane->to_us;
}

static bool
connects_have_room(const struct load_lane *lane)
{
	return lane->begun[LOAD_CONNECT] < lane->share.wanted[LOAD_CONNECT];
}

void
load_lane_opened(struct load_lane *lane, enum load_kind kind)
{
	LOAD_COUNT(lane, opened);
	__atomic_store_n(&lane->open[kind], lane->open[kind] + 1, __ATOMIC_RELAXED);
	if (kind == LOAD_CONNECT)
		return;
	lane->opening--;
	if (lane->phase <= PHASE_RUNNING)
		fill(lane);
}

/* What ended badly is replaced by and by, by fill_timer: a server that refuses is not stormed. */
void
load_lane_ended(struct load_lane *lane, enum load_kind kind, bool was_open, bool well)
{
	lane->begun[kind]--;
	if (was_open)
		__atomic_store_n(&lane->open[kind], lane->open[kind] - 1, __ATOMIC_RELAXED);
	else if (kind != LOAD_CONNECT)
		lane->opening--;
	if (kind != LOAD_CONNECT || !well)
		return;
	LOAD_COUNT(lane, finished);
	lane->next_us = 0; /* there is room for one more: look */
	load_lane_pump(lane);
}

/* ---- what is due */

void
load_lane_unready(struct load_lane *lane, struct session *s)
{
	if (!s->is_ready)
		return;
	*(s->prev != NULL ? &s->prev->next : &lane->ready) = s->next;
	*(s->next != NULL ? &s->next->prev : &lane->ready_tail) = s->prev;
	s->is_ready = false;
}

void
load_lane_ready(struct load_lane *lane, struct session *s)
{
	if (s->is_ready)
		return;
	if (lane->settings->rate == 0)
		while (is_running(lane) && session_has_room(lane, s))
			session_request(lane, s, load_lane_now(lane));
	if (!session_has_room(lane, s))
		return;
	if (lane->ready == NULL)
		lane->next_us = 0; /* what is due can be sent again: look */
	s->next = NULL;
	s->prev = lane->ready_tail;
	*(s->prev != NULL ? &s->prev->next : &lane->ready) = s;
	lane->ready_tail = s;
	s->is_ready = true;
}

/* Takes what is due off the schedule. Returns from when on it counts. */
static uint64_t
take(struct load_lane *lane, struct schedule *schedule, uint64_t now)
{
	uint64_t due_us = schedule_take(schedule);

	if (load_lane_measures(lane, due_us))
		histogram_add(&lane->late_us, now - due_us);
	return lane->settings->closed ? now : due_us;
}

/* When the schedule has something for us; SCHEDULE_NEVER also beyond the end. */
static uint64_t
due_at(const struct load_lane *lane, const struct schedule *schedule)
{
	uint64_t at = schedule_next_us(schedule);

	return at < lane->to_us ? at : SCHEDULE_NEVER;
}

/* Requests: to those that have waited longest. Returns when it is to be called again. */
static uint64_t
pump_requests(struct load_lane *lane, uint64_t now)
{
	bool rated = lane->settings->rate > 0;

	for (unsigned int n = 0; lane->ready != NULL && (rated || is_running(lane)); n++) {
		struct session *s = lane->ready;

		if (n == LOAD_STARTS_PER_TURN)
			return now + 1;
		if (rated && due_at(lane, &lane->requests) > now)
			return due_at(lane, &lane->requests);
		load_lane_unready(lane, s);
		if (rated)
			session_request(lane, s, take(lane, &lane->requests, now));
		load_lane_ready(lane, s);
	}
	return SCHEDULE_NEVER;
}

/* Connections of mode connect. Returns when it is to be called again. */
static uint64_t
pump_connects(struct load_lane *lane, uint64_t now)
{
	bool rated = lane->settings->connect_rate > 0;

	for (unsigned int n = 0; connects_have_room(lane) && (rated || is_running(lane)); n++) {
		uint64_t due_us = now;

		if (n == LOAD_STARTS_PER_TURN)
			return now + 1;
		if (rated && due_at(lane, &lane->connects) > now)
			return due_at(lane, &lane->connects);
		if (rated)
			due_us = take(lane, &lane->connects, now);
		if (begin_connection(lane, LOAD_CONNECT, due_us) == 0)
			continue;
		load_lane_give_up_open(lane, due_us);
		return now + LOAD_RETRY_US;
	}
	return SCHEDULE_NEVER;
}

void
load_lane_pump(struct load_lane *lane)
{
	uint64_t now = load_lane_now(lane), connects;

	if (lane->next_us > now || lane->phase == PHASE_OPENING || lane->phase == PHASE_FINISHED)
		return;
	lane->next_us = pump_requests(lane, now);
	connects = pump_connects(lane, now);
	if (connects < lane->next_us)
		lane->next_us = connects;
	if (lane->next_us != SCHEDULE_NEVER)
		rill_timer_start(lane->rill, &lane->due_timer, lane->next_us - now);
}

static void
on_due(struct rill_lane *rill, struct rill_timer *timer)
{
	load_lane_pump(rill_lane_user(rill));
}

/* ---- phases */

static void
phase_set(struct load_lane *lane, enum load_phase phase)
{
	__atomic_store_n(&lane->phase, phase, __ATOMIC_RELEASE);
}

/* Until at_us, or as far as a timer reaches. */
static void
phase_wait(struct load_lane *lane, uint64_t at_us)
{
	uint64_t delay = at_us - load_lane_now(lane);

	rill_timer_start(lane->rill, &lane->phase_timer,
		delay < RILL_TIMER_MAX_US ? delay : RILL_TIMER_MAX_US);
}

static void
snapshot_from(struct load_lane *lane)
{
	if (lane->stats_from.turns != 0)
		return;
	rill_lane_stats_read(lane->rill, &lane->stats_from);
	lane->count_from = lane->count;
	lane->counted_from_us = load_lane_now(lane);
}

static void
snapshot_to(struct load_lane *lane)
{
	rill_lane_stats_read(lane->rill, &lane->stats_to);
	lane->count_to = lane->count;
	lane->counted_to_us = load_lane_now(lane);
}

/* What never came counts as if it had come at the end. */
static uint64_t
time_until_end(const struct load_lane *lane, uint64_t due_us)
{
	uint64_t now = load_lane_now(lane);

	return (lane->to_us > now ? lane->to_us : now) - due_us;
}

void
load_lane_give_up(struct load_lane *lane, uint64_t due_us)
{
	if (!load_lane_measures(lane, due_us))
		return;
	lane->unanswered++;
	histogram_add(&lane->reply_us, time_until_end(lane, due_us));
}

void
load_lane_give_up_open(struct load_lane *lane, uint64_t due_us)
{
	if (!load_lane_measures(lane, due_us))
		return;
	histogram_add(&lane->connect_us, time_until_end(lane, due_us));
	if (load_settings_exchange(lane->settings))
		load_lane_give_up(lane, due_us);
	else
		lane->unanswered++;
}

static void
give_up_conn(struct rill_conn *conn, void *lane)
{
	session_give_up(lane, rill_conn_user(conn));
}

/* What could not even be sent. */
static void
give_up_schedules(struct load_lane *lane)
{
	while (due_at(lane, &lane->requests) != SCHEDULE_NEVER)
		load_lane_give_up(lane, schedule_take(&lane->requests));
	while (due_at(lane, &lane->connects) != SCHEDULE_NEVER)
		load_lane_give_up_open(lane, schedule_take(&lane->connects));
}

static void
finish(struct load_lane *lane)
{
	rill_lane_each(lane->rill, give_up_conn, lane);
	give_up_schedules(lane);
	phase_set(lane, PHASE_FINISHED);
}

/* Nothing is due any more, or waits for a reply. */
static bool
is_idle(const struct load_lane *lane)
{
	return lane->under_way == 0 && lane->begun[LOAD_CONNECT] == 0 &&
		due_at(lane, &lane->requests) == SCHEDULE_NEVER &&
		due_at(lane, &lane->connects) == SCHEDULE_NEVER;
}

static void
on_phase(struct rill_lane *rill, struct rill_timer *timer)
{
	struct load_lane *lane = rill_lane_user(rill);
	uint64_t now = load_lane_now(lane);

	if (lane->phase == PHASE_RUNNING && now < lane->from_us) {
		phase_wait(lane, lane->from_us);
	} else if (lane->phase == PHASE_RUNNING && now < lane->to_us) {
		snapshot_from(lane);
		phase_wait(lane, lane->to_us);
	} else if (lane->phase == PHASE_RUNNING) {
		load_lane_end(rill, lane);
	} else if (lane->phase == PHASE_WAITING) {
		if (is_idle(lane) || now >= lane->to_us + LOAD_GRACE_US)
			finish(lane);
		else
			phase_wait(lane, now + LOAD_RETRY_US);
	}
}

static void
on_fill(struct rill_lane *rill, struct rill_timer *timer)
{
	struct load_lane *lane = rill_lane_user(rill);

	if (lane->phase > PHASE_RUNNING)
		return;
	rill_timer_start(rill, timer, LOAD_RETRY_US);
	fill(lane);
	if (lane->phase == PHASE_RUNNING && connects_have_room(lane)) {
		lane->next_us = 0;
		load_lane_pump(lane);
	}
}

void
load_lane_start(struct load_lane *lane, struct rill_lane *rill)
{
	lane->rill = rill;
	rill_lane_set_user(rill, lane);
	lane->due_timer.fn = on_due;
	lane->phase_timer.fn = on_phase;
	lane->fill_timer.fn = on_fill;
	rill_timer_start(rill, &lane->fill_timer, 0);
}

static void
start_bulk(struct rill_conn *conn, void *lane)
{
	struct session *s = rill_conn_user(conn);

	if (s->is_open && s->kind != LOAD_ECHO)
		session_start_bulk(lane, s);
}

void
load_lane_begin(struct rill_lane *rill, void *user)
{
	struct load_lane *lane = user;
	const struct load_settings *settings = lane->settings;
	uint64_t now = load_lane_now(lane), seed = rill_lane_index(rill) * 2 + 1;

	lane->from_us = now + (uint64_t)settings->warmup_ms * 1000;
	lane->to_us = lane->from_us + (uint64_t)settings->time_ms * 1000;
	schedule_begin(&lane->requests, lane->share.rate, settings->random, seed, now);
	schedule_begin(&lane->connects, lane->share.connect_rate, settings->random, seed + 1, now);
	phase_set(lane, PHASE_RUNNING);
	if (lane->share.wanted[LOAD_UPLOAD] + lane->share.wanted[LOAD_DOWNLOAD] > 0)
		rill_lane_each(rill, start_bulk, lane);
	phase_wait(lane, lane->from_us);
	lane->next_us = 0;
	rill_timer_start(rill, &lane->due_timer, 0);
}

void
load_lane_end(struct rill_lane *rill, void *user)
{
	struct load_lane *lane = user;
	uint64_t now = load_lane_now(lane);

	if (lane->phase > PHASE_RUNNING)
		return;
	if (lane->phase == PHASE_OPENING || now < lane->to_us)
		lane->to_us = now;
	if (lane->from_us > lane->to_us || lane->phase == PHASE_OPENING)
		lane->from_us = lane->to_us;
	snapshot_from(lane);
	snapshot_to(lane);
	phase_set(lane, PHASE_WAITING);
	phase_wait(lane, now);
}

/* ---- from any thread */

uint32_t
load_lane_wanted(const struct load_lane *lane)
{
	return share_connections(&lane->share) - lane->share.wanted[LOAD_CONNECT];
}

uint32_t
load_lane_open(const struct load_lane *lane)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < HELD_KINDS; i++)
		sum += __atomic_load_n(&lane->open[held_kinds[i]], __ATOMIC_RELAXED);
	return sum;
}

bool
load_lane_is_finished(const struct load_lane *lane)
{
	return __atomic_load_n(&lane->phase, __ATOMIC_ACQUIRE) == PHASE_FINISHED;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sessions of a seed are, and whether they ended as they should. */
#include <string.h>

#include <rte_common.h>

#include "lane.h"
#include "session.h"

#define TINY_SEGMENTS_BYTES 5000 /* that an end sends at most in segments below 216 bytes */

static void
breaks_off(void *arg, uint64_t value)
{
	struct end *end = arg;

	if (end->conn == NULL || end->opened == 0)
		return;
	end_trace(end, "breaks off");
	if (end->session->plan == PLAN_ABORT)
		end_expect(end, "rill_abort", rill_abort(end->conn));
	else
		rill_close(end->conn);
	end->finished_sending = true;
	end->deserts = true;
}

/* The port with which the client's connection is steered to the lane that it is made on. */
static uint16_t
choose_port(struct session *s)
{
	struct end *client = &s->ends[0];

	do {
		s->client_port++;
	} while (host_lane_of(client->host, client->other->host->ip, s->client_port,
			 s->server_port) != client->lane);
	return s->client_port;
}

static void
connect_now(void *arg, uint64_t value)
{
	struct end *end = arg;
	struct session *s = end->session;
	struct rill_endpoint local = {.port = choose_port(s)}, remote = {.port = s->server_port};

	remote.addr = host_addr(end->other->host, s->ip6);
	end_expect(end, "rill_connect",
		rill_connect(end->lane->lane, &local, &remote, &s->options[0], &session_handler,
			end, &end->conn));
}

/*
 * Who waits for the last ACK may hear RST instead, once the other end's TIME-WAIT is over, or gave
 * way to a newer one.
 */
static bool
outlived_time_wait(const struct end *end)
{
	const struct end *other = end->other;
	const struct tcp *tcp;

	if (end->why != RILL_CLOSE_RESET || !other->closed || other->why != RILL_CLOSE_DONE)
		return false;
	tcp = &other->lane->lane->tcp;
	return tcp->counters->timewait_dropped > 0 ||
	       end->closed_at >= other->closed_at + 2ull * tcp->limits.msl_ms * MS;
}

static bool
ended_as_planned(const struct session *s, const struct end *end)
{
	bool broken = s->ends[0].deserts || s->ends[1].deserts || s->impatient;

	if (end->received > end->other->to_send)
		return false;
	if (broken) /* whoever broke off, and how far both got, is chance; the bytes were verified
		     */
		return true;
	return end->opened == 1 && end->closed == 1 && end->received == end->other->to_send &&
	       end->sent == end->to_send &&
	       (end->why == RILL_CLOSE_DONE || outlived_time_wait(end));
}

static void
end_begins(struct end *end)
{
	end->opened = end->eofs = end->closed = 0;
	end->sent = end->received = 0;
	end->finished_sending = end->paused = false;
}

void
session_lives_again(struct session *s)
{
	if (s->lives == 0 || !s->ends[0].closed || !s->ends[1].closed)
		return;
	for (unsigned int e = 0; e < 2; e++)
		if (!ended_as_planned(s, &s->ends[e])) {
			s->lives = 0; /* for sessions_check to find */
			return;
		}
	s->lives--;
	end_begins(&s->ends[0]);
	end_begins(&s->ends[1]);
	world_after(
		s->world, chance_size(&s->world->app, 0, SECOND / 10), connect_now, &s->ends[0], 0);
}

static void
draw_end(struct session *s, unsigned int which, struct host *host)
{
	struct chance *c = &s->world->app;
	struct end *end = &s->ends[which];
	uint32_t sndbuf = 256 * 1024; /* the least of a queue that grows */

	end->session = s;
	end->other = &s->ends[!which];
	end->host = host;
	end->lane = &host->lanes[chance_below(c, host->setup.lanes)];
	end->server = which == 1;
	end->by_mail = chance_one_in(c, 4);
	options_draw(s, &s->options[which]);
	end->consumes = s->options[which].manual_consume;
	if (s->options[which].sndbuf != 0)
		sndbuf = (uint32_t)s->options[which].sndbuf;
	/* What crawls through small segments and buffers is kept short. */
	end->to_send = chance_size(c, 0, RTE_MIN(200000u, 100u * sndbuf));
	end->chunk_max = chance_size(c, 1, RTE_MIN(20000u, sndbuf));
	end->uses_mbufs = chance_below(c, 2) == 0;
	end->pause_ppm = chance_below(c, 2) == 0 ? 0 : chance_size(c, 100, 100000);
}

static void
draw_plan(struct session *s)
{
	struct chance *c = &s->world->app;
	struct end *client = &s->ends[0], *server = &s->ends[1];

	switch (s->plan) {
	case PLAN_REQUEST:
		s->rounds = chance_size(c, 1, 200);
		s->request = chance_size(c, 1, 3000);
		s->response = chance_size(c, 1, 20000);
		if ((uint64_t)s->rounds * s->response > 300000)
			s->rounds = 1 + 300000 / s->response;
		client->to_send = s->rounds * s->request;
		server->to_send = s->rounds * s->response;
		break;
	case PLAN_ECHO:
		server->to_send = client->to_send;
		/* What a pause gathers must fit the send queue, or rill_send refuses it for ever.
		 */
		s->options[1].sndbuf = RTE_MAX(s->options[1].sndbuf, s->options[1].rcvbuf);
		server->pause_ppm = 0;
		break;
	case PLAN_MANY:
		s->lives = chance_size(c, 1, LIVES_MAX);
		for (unsigned int e = 0; e < 2; e++) {
			s->ends[e].to_send %= 5000;
			s->ends[e].pause_ppm = 0;
		}
		break;
	case PLAN_ABORT:
	case PLAN_DESERT:
		world_after(s->world, chance_size(c, MS, 20 * SECOND), breaks_off,
			&s->ends[chance_below(c, 2)], 0);
		break;
	default:
		break;
	}
	/* Each of many tiny segments may be lost, and wait a minute for its timeout. */
	for (unsigned int e = 0; e < 2; e++)
		if (s->ends[e].to_send <= TINY_SEGMENTS_BYTES && chance_one_in(c, 4))
			s->options[e].mss_floor = (int32_t)chance_size(c, 48, 216);
	/* A byte per round trip would be honest, and take for ever. */
	for (unsigned int e = 0; e < 2; e++)
		s->ends[e].chunk_max = RTE_MAX(s->ends[e].chunk_max, s->ends[e].to_send / 1000 + 1);
}

/* The server listens on every lane: which one a connection comes to is the NIC's choice. */
static void
session_start(struct world *world, struct session *s)
{
	struct chance *c = &world->app;
	struct host *client = &world->hosts[chance_below(c, world->hosts_count)];
	unsigned int away = 1 + chance_below(c, world->hosts_count - 1);
	struct host *server = &world->hosts[(client->number + away) % world->hosts_count];
	struct rill_listener *listener;

	s->world = world;
	s->ip6 = world->families == FAMILY_IP6 ||
		 (world->families == FAMILY_BOTH && chance_one_in(&world->extra, 2));
	s->plan = (enum plan)chance_below(c, PLANS);
	s->impatient = (s->plan == PLAN_ABORT || s->plan == PLAN_DESERT) && chance_one_in(c, 2);
	s->server_port = (uint16_t)(SERVER_PORT + s->id);
	s->client_port = (uint16_t)(CLIENT_PORT + s->id * CLIENT_PORTS);
	draw_end(s, 0, client);
	draw_end(s, 1, server);
	draw_plan(s);
	world_trace(world, "   session %u: plan %d, IPv%u, host %u to %u, %u and %u bytes", s->id, s->plan,
		s->ip6 ? 6 : 4, client->number, server->number, s->ends[0].to_send, s->ends[1].to_send);
	for (unsigned int i = 0; i < server->setup.lanes; i++)
		end_expect(&s->ends[1], "rill_lane_listen",
			rill_lane_listen(server->lanes[i].lane, NULL, s->server_port,
				&s->options[1], &session_handler, &s->ends[1], &listener));
	world_after(world, chance_size(c, 0, SECOND), connect_now, &s->ends[0], 0);
	for (unsigned int e = 0; e < 2; e++)
		if (chance_one_in(c, 3))
			options_change_later(&s->ends[e], 1 + chance_below(c, 20));
}

void
sessions_start(struct world *world, struct sessions *sessions)
{
	memset(sessions, 0, sizeof(*sessions));
	sessions->count = 1 + chance_below(&world->app, SESSIONS_MAX);
	for (unsigned int i = 0; i < sessions->count; i++) {
		sessions->all[i].id = i;
		session_start(world, &sessions->all[i]);
	}
}

void
sessions_each_held(void *arg, const struct sim_lane *lane, held_fn fn, void *fn_arg)
{
	struct sessions *sessions = arg;

	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++) {
			const struct end *end = &sessions->all[i].ends[e];

			if (end->held != NULL && end->held_of == lane->lane)
				fn(fn_arg, end->held);
			if (end->owed != NULL && end->conn != NULL &&
				rill_conn_lane(end->conn) == lane->lane)
				fn(fn_arg, end->owed);
		}
}

bool
sessions_over(const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++) {
		const struct session *s = &sessions->all[i];

		if (s->lives > 0 || !s->ends[0].closed || (s->ends[1].opened && !s->ends[1].closed))
			return false;
		if (s->ends[0].held != NULL || s->ends[1].held != NULL)
			return false;
	}
	return true;
}

void
sessions_let_go(struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++)
			end_lets_go(&sessions->all[i].ends[e], 0);
}

static void
end_print(struct world *world, const struct end *end)
{
	struct rill_conn_info info;

	if (end->conn == NULL) {
		world_fail(world,
			"session %u plan %d %s: opened %u closed %u (%s), eofs %u, sent %u/%u, received %u/%u",
			end->session->id, end->session->plan, end->server ? "server" : "client",
			end->opened, end->closed, rill_close_reason_name(end->why), end->eofs,
			end->sent, end->to_send, end->received, end->other->to_send);
		return;
	}
	rill_conn_info(end->conn, &info);
	world_fail(world,
		"session %u plan %d %s: %s, eofs %u, sent %u/%u, received %u/%u, queued %u flight %u cwnd %u snd_wnd %u rto %u retries %u kept %u out of order %u unread %u",
		end->session->id, end->session->plan, end->server ? "server" : "client",
		rill_state_name(info.state), end->eofs, end->sent, end->to_send, end->received,
		end->other->to_send, info.snd_queued, info.flight, info.cwnd, info.snd_wnd,
		info.rto_us, info.retries, info.rcv_queued, info.out_of_order, info.rcv_unread);
}

void
sessions_print(struct world *world, const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++)
			if (!sessions->all[i].ends[e].closed)
				end_print(world, &sessions->all[i].ends[e]);
}

void
sessions_check(struct world *world, const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++)
			if (!ended_as_planned(&sessions->all[i], &sessions->all[i].ends[e]))
				end_print(world, &sessions->all[i].ends[e]);
}

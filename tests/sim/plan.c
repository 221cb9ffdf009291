/* SPDX-License-Identifier: BSD-3-Clause */
/* What the sessions of a seed are, and whether they ended as they should. */
#include <string.h>

#include "session.h"

static void
breaks_off(void *arg, uint32_t value)
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

static void
connect_now(void *arg, uint32_t value)
{
	struct end *end = arg;
	struct session *s = end->session;
	struct rill_endpoint local, remote;
	char addr[] = "192.0.2.1";

	memset(&local, 0, sizeof(local));
	memset(&remote, 0, sizeof(remote));
	local.port = (uint16_t)(CLIENT_PORT + s->id);
	addr[8] = (char)('1' + end->other->host);
	rill_addr_parse(addr, &remote.addr);
	remote.port = (uint16_t)(SERVER_PORT + s->id);
	end_expect(end, "rill_connect", rill_connect(s->world->hosts[end->host].lane, &local, &remote,
					       &s->options[0], &session_handler, end, &end->conn));
}

static void
draw_options(struct session *s, struct rill_options *o)
{
	struct chance *c = &s->world->app;

	rill_options_default(o);
	o->nodelay = chance_below(c, 2) == 0;
	if (chance_below(c, 3) == 0)
		o->mss = (int32_t)chance_size(c, 64, 1460);
	o->rcvbuf = (int32_t)chance_size(c, 2048, 1u << 20);
	o->sndbuf = (int32_t)chance_size(c, 2048, 1u << 20);
	o->sack = chance_below(c, 3) != 0;
	o->timestamps = chance_below(c, 3) != 0;
	o->window_scale = chance_below(c, 4) != 0;
	o->delayed_ack_us = chance_below(c, 4) == 0 ? 0 : (int32_t)chance_size(c, 1, 400 * MS);
	o->initial_window = 1 + (int32_t)chance_below(c, 10);
	/* A side that hears of the other's end by nothing else finds out by asking. */
	o->keepalive_idle_ms = 5000;
	o->keepalive_interval_ms = 2000;
	o->keepalive_count = 20;
	o->retries = 40;
	o->syn_retries = 15;
	o->synack_retries = 15;
	if (s->plan != PLAN_ECHO)
		o->manual_consume = chance_below(c, 4) == 0;
}

static void
draw_end(struct session *s, unsigned int which, unsigned int host)
{
	struct chance *c = &s->world->app;
	struct end *end = &s->ends[which];

	end->session = s;
	end->other = &s->ends[!which];
	end->host = host;
	end->server = which == 1;
	draw_options(s, &s->options[which]);
	end->consumes = s->options[which].manual_consume;
	/* What crawls through small segments and buffers is kept short. */
	end->to_send = chance_size(c, 0, RTE_MIN(300000u, 100u * (uint32_t)s->options[which].sndbuf));
	end->chunk_max = chance_size(c, 1, RTE_MIN(20000u, (uint32_t)s->options[which].sndbuf));
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
		/* What a pause gathers must fit the send queue, or rill_send refuses it for ever. */
		s->options[1].sndbuf = RTE_MAX(s->options[1].sndbuf, s->options[1].rcvbuf);
		server->pause_ppm = 0;
		break;
	case PLAN_ABORT:
	case PLAN_DESERT:
		world_after(s->world, chance_size(c, MS, 20 * SECOND), breaks_off, &s->ends[chance_below(c, 2)], 0);
		break;
	default:
		break;
	}
	/* A byte per round trip would be honest, and take for ever. */
	for (unsigned int e = 0; e < 2; e++)
		s->ends[e].chunk_max = RTE_MAX(s->ends[e].chunk_max, s->ends[e].to_send / 1000 + 1);
}

void
sessions_start(struct world *world, struct sessions *sessions)
{
	struct chance *c = &world->app;

	memset(sessions, 0, sizeof(*sessions));
	sessions->count = 1 + chance_below(c, SESSIONS_MAX);
	for (unsigned int i = 0; i < sessions->count; i++) {
		struct session *s = &sessions->all[i];
		unsigned int client = chance_below(c, HOSTS);

		s->world = world;
		s->id = i;
		s->plan = (enum plan)chance_below(c, PLANS);
		draw_end(s, 0, client);
		draw_end(s, 1, !client);
		draw_plan(s);
		world_trace(world, "   session %u: plan %d, host %u to %u, %u and %u bytes", i, s->plan, client,
			!client, s->ends[0].to_send, s->ends[1].to_send);
		end_expect(&s->ends[1], "rill_lane_listen",
			rill_lane_listen(world->hosts[!client].lane, NULL, (uint16_t)(SERVER_PORT + i),
				&s->options[1], &session_handler, &s->ends[1], &s->listener));
		world_after(world, chance_size(c, 0, SECOND), connect_now, &s->ends[0], 0);
	}
}

bool
sessions_over(const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++) {
		const struct session *s = &sessions->all[i];

		if (!s->ends[0].closed || (s->ends[1].opened && !s->ends[1].closed))
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
		world_fail(world, "session %u plan %d %s: opened %u closed %u (%s), eofs %u, sent %u/%u, received %u/%u",
			end->session->id, end->session->plan, end->server ? "server" : "client", end->opened,
			end->closed, rill_close_reason_name(end->why), end->eofs, end->sent, end->to_send,
			end->received, end->other->to_send);
		return;
	}
	rill_conn_info(end->conn, &info);
	world_fail(world, "session %u plan %d %s: %s, eofs %u, sent %u/%u, received %u/%u, queued %u flight %u cwnd %u snd_wnd %u rto %u retries %u kept %u out of order %u unread %u",
		end->session->id, end->session->plan, end->server ? "server" : "client",
		rill_state_name(info.state), end->eofs, end->sent, end->to_send, end->received,
		end->other->to_send, info.snd_queued, info.flight, info.cwnd, info.snd_wnd, info.rto_us,
		info.retries, info.rcv_queued, info.out_of_order, info.rcv_unread);
}

void
sessions_print(struct world *world, const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++)
			if (!sessions->all[i].ends[e].closed)
				end_print(world, &sessions->all[i].ends[e]);
}

static bool
ended_as_planned(const struct session *s, const struct end *end)
{
	bool broken = s->ends[0].deserts || s->ends[1].deserts;

	if (end->received > end->other->to_send)
		return false;
	if (broken) /* whoever broke off, and how far both got, is chance; the bytes were verified */
		return true;
	return end->opened == 1 && end->closed == 1 && end->why == RILL_CLOSE_DONE &&
	       end->received == end->other->to_send && end->sent == end->to_send;
}

void
sessions_check(struct world *world, const struct sessions *sessions)
{
	for (unsigned int i = 0; i < sessions->count; i++)
		for (unsigned int e = 0; e < 2; e++)
			if (!ended_as_planned(&sessions->all[i], &sessions->all[i].ends[e]))
				end_print(world, &sessions->all[i].ends[e]);
}

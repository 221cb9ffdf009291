/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire_port: the limit or the flow player at one end of a wire between two processes. Whatever is a
 * DPDK device will do; memif.py measures Rill and the limit with it over net_memif.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rill/stack.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>

#include "eal.h"
#include "errtext.h"
#include "far_port.h"
#include "server.h"
#include "wire_port.h"

#define POOL_CACHE 256
#define LINK_WAIT_S 10
#define LINK_LOOK_US 10000
/* How long the player waits for the server's end. */
#define END_WAIT_S 10

volatile bool wire_stop, wire_tell;

static void
on_signal(int number)
{
	if (number == SIGUSR1)
		wire_tell = true;
	else
		wire_stop = true;
}

static void
catch_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
}

/* ---- the limit */

struct served {
	uint64_t turns, turns_busy, busy_cycles;
	uint64_t received, sent; /* frames */
};

/* As rill-echo tells its own. */
static void
tell(const struct served *served, uint64_t now)
{
	double us = 1e6 / (double)rte_get_tsc_hz();

	printf("time_us %.0f\nturns %lu\nturns_busy %lu\nbusy_us %.0f\nrx_packets %lu\ntx_packets %lu\n"
	       "end of counters\n",
		(double)now * us, (unsigned long)served->turns, (unsigned long)served->turns_busy,
		(double)served->busy_cycles * us, (unsigned long)served->received,
		(unsigned long)served->sent);
	fflush(stdout);
}

int
wire_serve(const struct wire_settings *settings, struct port *port)
{
	const struct server_setup setup = {
		.work = settings->work, .flows = settings->connections, .buffers = settings->buffers};
	struct server *server = limit_create_on(&setup, port);
	struct served served = {0};
	uint64_t start = rte_rdtsc();

	if (server == NULL)
		return 2;
	printf("wire_port: limit: serving\n");
	fflush(stdout);
	while (!wire_stop) {
		struct server_turn turn;
		uint64_t end;

		server->ops->turn(server, &turn);
		end = rte_rdtsc();
		served.turns++;
		if (turn.worked) {
			served.turns_busy++;
			served.busy_cycles += end - start;
			served.received += turn.received;
			served.sent += turn.sent;
		}
		start = end;
		if (wire_tell) {
			wire_tell = false;
			tell(&served, end);
		}
	}
	server->ops->destroy(server);
	return 0;
}

/* ---- the player */

/* What is said of the measured run: rates are the reader's to compute. */
static void
print_played(const struct wire_settings *settings, const struct player_counts *before,
	const struct player_counts *after, uint64_t cycles)
{
	double hz = (double)rte_get_tsc_hz();

	printf("{\"seconds\": %.6f, \"messages\": %lu, \"size\": %u, \"connections\": %u, "
	       "\"inflight\": %u, \"frames_in\": %lu, \"frames_out\": %lu, \"pure_acks\": %lu, "
	       "\"repeated\": %lu, \"checked\": %lu, \"opened\": %lu, \"busy_share\": %.4f, "
	       "\"tsc_hz\": %.0f}\n",
		(double)cycles / hz, (unsigned long)(after->messages - before->messages), settings->size,
		settings->connections, settings->inflight,
		(unsigned long)(after->frames_in - before->frames_in),
		(unsigned long)(after->frames_out - before->frames_out),
		(unsigned long)(after->pure_acks - before->pure_acks),
		(unsigned long)(after->repeated - before->repeated),
		(unsigned long)(after->checked - before->checked), (unsigned long)after->opened,
		(double)(after->cycles - before->cycles) / (double)cycles, hz);
	fflush(stdout);
}

static void
say(const char *what)
{
	printf("wire_port: player: %s\n", what);
	fflush(stdout);
}

static bool
play(const struct wire_settings *settings, struct player *player)
{
	uint64_t per_ms = rte_get_tsc_hz() / 1000, begun;
	const struct player_task open = {.job = PLAYER_OPEN}, shut = {.job = PLAYER_CLOSE};
	const struct player_task warm_up = {
		.job = PLAYER_PLAY, .cycles = settings->warmup_ms * per_ms};
	struct player_task task = {.job = PLAYER_PLAY, .messages = settings->messages};
	struct player_counts before, after;
	uint64_t cycles;

	if (task.messages == 0)
		task.cycles = settings->time_ms * per_ms;
	if (!player_run(player, &open))
		return false;
	say("open");
	if (settings->warmup_ms > 0 && task.messages == 0 && !player_run(player, &warm_up))
		return false;
	say("begin");
	before = *player_counts(player);
	begun = rte_rdtsc();
	if (!player_run(player, &task))
		return false;
	cycles = rte_rdtsc() - begun;
	after = *player_counts(player);
	if (!player_run(player, &shut))
		return false;
	print_played(settings, &before, &after, cycles);
	return true;
}

/* Looks at the link until it is up (or down), without touching its rings. Returns whether it is. */
static bool
await_link(const struct port *port, bool up, unsigned int seconds)
{
	for (unsigned int looks = 0; looks < seconds * 1000000u / LINK_LOOK_US; looks++) {
		struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};

		if (rte_eth_link_get_nowait(port->ethdev_id, &link) == 0 &&
			(link.link_status == RTE_ETH_LINK_UP) == up)
			return true;
		if (wire_stop)
			break;
		usleep(LINK_LOOK_US);
	}
	return false;
}

int
wire_play(const struct wire_settings *settings, struct port *port, struct rte_mempool *pool)
{
	static struct far_port far;
	const struct player_setup setup = {.wire = &far.far,
		.work = settings->work,
		.flows = settings->connections,
		.payload = (uint16_t)settings->size,
		.inflight = settings->inflight,
		.unacked = settings->unacked,
		.timestamps = !settings->no_timestamps,
		.check_every = settings->check_every,
		.seed = 1};
	struct player *player;
	bool good;

	/* The other process may still be on its way. */
	if (!await_link(port, true, LINK_WAIT_S)) {
		fprintf(stderr, "wire_port: nobody is at the wire's other end\n");
		return 1;
	}
	far_port_init(&far, port, pool, &settings->server_mac);
	player = player_create(&setup);
	if (player == NULL)
		return 2;
	good = play(settings, player);
	if (!good)
		fprintf(stderr, "wire_port: player: %s\n", player_problem(player));
	/* net_memif unmaps the rings when one end goes, whether or not the other polls them: the server,
	 * which does, goes first. */
	if (good)
		await_link(port, false, END_WAIT_S);
	player_destroy(player);
	far_port_fini(&far);
	return good ? 0 : 1;
}

/* ---- life */

static int
run(const struct wire_settings *settings)
{
	const struct port_setup setup = {.name = settings->dev};
	struct rte_mempool *pool = NULL;
	struct port port;
	int status = 2, err = port_probe(&port, &setup);

	if (err == 0) {
		pool = rte_pktmbuf_pool_create("wire_port", settings->buffers, POOL_CACHE, 0,
			RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
		if (pool == NULL)
			err = error_set(-ENOMEM, "no memory for %u buffers", settings->buffers);
		else
			err = port_open_ethdev(&port, &setup, pool);
		if (err == 0)
			status = settings->is_player ? wire_play(settings, &port, pool)
						     : wire_serve(settings, &port);
		port_close(&port);
	}
	if (err != 0)
		fprintf(stderr, "wire_port: %s\n", rill_error());
	rte_mempool_free(pool);
	return status;
}

int
main(int argc, char *argv[])
{
	struct wire_settings settings;
	struct eal_setup eal = {0};

	wire_settings_parse(&settings, argc, argv);
	eal.bytes = (uint64_t)settings.buffers * 4096 + (uint64_t)settings.connections * 1024;
	if (eal_start(&eal) != 0) {
		fprintf(stderr, "wire_port: %s\n", rill_error());
		return 2;
	}
	catch_signals();
	return run(&settings);
}

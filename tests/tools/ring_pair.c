/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * rill-echo and rill-load in one process, each on a net_ring device, with a wire between them.
 *
 *   rill-echo's lane i ── net_ring_echo, queue i ══ wire ══ queue i, net_ring_load ── rill-load's lane i
 *
 * usage: ring_pair QUEUES ECHO-OPTION... -- LOAD-OPTION...
 * --dev is added to both. Ends with rill-load; its exit status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "ring_pair.h"
#include "ring_pair_wire.h"

#define QUEUES_MAX (WIRE_WAYS_MAX / 2)
#define FRAMES 1024
#define BUFFERS 8191
#define ARGS_MAX 64

static void __attribute__((noreturn))
refuse(const char *what)
{
	fprintf(stderr, "ring_pair: %s\n", what);
	exit(2);
}

static void
start_eal(void)
{
	char *args[] = {"ring_pair", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m768",
		"--log-level=*:warning"};

	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		refuse("EAL does not start");
}

static struct rte_ring *
make_ring(const char *name, unsigned int queue)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(full, sizeof(full), "%s%u", name, queue);
	ring = rte_ring_create(full, FRAMES, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	if (ring == NULL)
		refuse("no memory for the rings");
	return ring;
}

/* Ways 2i and 2i + 1 are those of queue i: from rill-echo, and to it. */
static void
make_devices(struct wire *wire, unsigned int queues)
{
	struct rte_ring *rx[2][QUEUES_MAX], *tx[2][QUEUES_MAX];

	for (unsigned int i = 0; i < queues; i++) {
		rx[0][i] = make_ring("echo_rx", i);
		tx[0][i] = make_ring("echo_tx", i);
		rx[1][i] = make_ring("load_rx", i);
		tx[1][i] = make_ring("load_tx", i);
		wire->ways[2 * i] = (struct wire_way){.from = tx[0][i], .to = rx[1][i]};
		wire->ways[2 * i + 1] = (struct wire_way){.from = tx[1][i], .to = rx[0][i]};
	}
	wire->count = 2 * queues;
	wire->pool = rte_pktmbuf_pool_create("wire", BUFFERS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	if (wire->pool == NULL || rte_eth_from_rings("echo", rx[0], queues, tx[0], queues, 0) < 0 ||
		rte_eth_from_rings("load", rx[1], queues, tx[1], queues, 0) < 0)
		refuse("no devices of the rings");
}

/* The program's name, its device, and the words up to "--" or the end; returns how many. */
static int
take_args(char *args[ARGS_MAX], char *name, char *dev, char **words[])
{
	int n = 0;

	args[n++] = name;
	args[n++] = "--dev";
	args[n++] = dev;
	for (; **words != NULL && strcmp(**words, "--") != 0; ++*words) {
		if (n == ARGS_MAX - 1)
			refuse("too many arguments");
		args[n++] = **words;
	}
	if (**words != NULL)
		++*words;
	args[n] = NULL;
	return n;
}

/* From here on lanes run, and the wire between them. */
static int
run(struct wire *wire, struct rill_stack *echo, struct rill_stack *load)
{
	pthread_t thread;
	int rc;

	for (unsigned int i = 0; i < wire->count; i++)
		wire->ways[i].sender = rill_stack_lane(i % 2 == 0 ? echo : load, i / 2);
	if (wire_start(wire) != 0 || pthread_create(&thread, NULL, ring_echo_run, NULL) != 0)
		refuse("no threads");
	rc = ring_load_run();
	rill_stack_stop(echo);
	pthread_join(thread, NULL);
	wire_stop(wire);
	wire_empty(wire);
	return rc;
}

int
main(int argc, char *argv[])
{
	static struct wire wire;
	char *args[ARGS_MAX], **words = argv + 2;
	unsigned int queues = argc > 2 ? (unsigned int)atoi(argv[1]) : 0;
	struct rill_stack *echo, *load;
	int n, rc;

	if (queues < 1 || queues > QUEUES_MAX)
		refuse("usage: ring_pair QUEUES ECHO-OPTION... -- LOAD-OPTION...");
	start_eal();
	make_devices(&wire, queues);
	n = take_args(args, "rill-echo", "net_ring_echo", &words);
	echo = ring_echo_open(n, args);
	n = take_args(args, "rill-load", "net_ring_load", &words);
	load = echo != NULL ? ring_load_open(n, args) : NULL;
	if (load == NULL)
		return 1;
	rc = run(&wire, echo, load);
	ring_echo_close();
	return ring_load_close(rc);
}

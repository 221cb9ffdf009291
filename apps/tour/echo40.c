/* SPDX-License-Identifier: BSD-3-Clause */
#include <rill/rill.h>
#include <rte_mbuf.h>
#include <signal.h>
#include <stdio.h>

static struct rill_stack *stack;

static void on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) != 0) { /* 0: the buffer is Rill's now; else it is still ours */
		rte_pktmbuf_free(data);
		rill_abort(conn);
	} else if (rill_send_room(conn) < 65536) {
		rill_pause(conn); /* the peer does not read: so we do not, and its window closes */
	}
}

static void on_sent(struct rill_conn *conn, uint32_t bytes) { rill_resume(conn); }
static void on_eof(struct rill_conn *conn) { rill_close(conn); }
static void on_signal(int sig) { rill_stack_drain(stack, 5000000); }

int main(void)
{
	struct rill_handler echo = { .on_data = on_data, .on_sent = on_sent, .on_eof = on_eof };
	static struct rill_config config;
	struct rill_listener *listener;

	rill_config_default(&config);
	config.ports_count = 1;
	config.ports[0].name = "net_tap0,iface=rill0"; /* or a NIC's PCI address */
	config.ports[0].addrs_count = 1;
	rill_prefix_parse("10.9.0.2/24", &config.ports[0].addrs[0]);
	if (rill_stack_create(&config, &stack) != 0 ||
		rill_listen(stack, NULL, 7000, NULL, &echo, NULL, &listener) != 0)
		return fprintf(stderr, "%s\n", rill_error()), 1;
	signal(SIGINT, on_signal), signal(SIGTERM, on_signal);

	rill_stack_run(stack); /* a lane for each port; returns when the stack is drained */
	rill_stack_destroy(stack);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <rill/rill.h>
#include <rte_mbuf.h>
#include <stdio.h>

static void on_data(struct rill_conn *conn, struct rte_mbuf *data)
{
	if (rill_send(conn, data) != 0) { /* 0: the buffer is Rill's now; else it is still ours, */
		rill_conn_set_user(conn, data);
		rill_pause(conn); /* and we read no more: the peer's window closes */
	}
}

static void on_sent(struct rill_conn *conn, uint32_t bytes_acked)
{
	struct rte_mbuf *data = rill_conn_user(conn);
	if (data != NULL && rill_send(conn, data) == 0) {
		rill_conn_set_user(conn, NULL);
		rill_resume(conn);
	}
}
static void on_eof(struct rill_conn *conn) { rill_close(conn); }
static void on_close(struct rill_conn *conn, enum rill_close_reason why)
{ rte_pktmbuf_free(rill_conn_user(conn)); }

int main(void)
{
	static const struct rill_handler echo = {
		.on_data = on_data, .on_sent = on_sent, .on_eof = on_eof, .on_close = on_close };
	static struct rill_config config;
	struct rill_listener *listener;
	struct rill_stack *stack;
	rill_config_default(&config);
	config.ports_count = config.ports[0].addrs_count = 1;
	config.ports[0].name = "net_tap0,iface=rill0"; /* or a NIC's PCI address */
	rill_prefix_parse("10.9.0.2/24", &config.ports[0].addrs[0]);
	if (rill_stack_create(&config, &stack) != 0 ||
		rill_listen(stack, NULL, 7000, NULL, &echo, NULL, &listener) != 0)
		return fprintf(stderr, "%s\n", rill_error()), 1;
	return rill_stack_run(stack); /* a lane for each port, until rill_stack_stop */
}

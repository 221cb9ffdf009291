/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An impairment box: carries frames between two network interfaces, with delay, rate, loss and
 * reordering, and congestion marks, in each direction (impair_path.h says which packet meets what).
 *
 * An interface is `if:NAME`, one that exists or will within 20 s (a tap that DPDK makes, the end of a
 * veth), to which the box holds a packet socket; or `tap:NAME`, a tap that the box makes, whose other
 * side belongs to a kernel. Such a tap offers no offloads, so its kernel makes every checksum and cuts
 * every segment itself; on a veth's far end turn TX checksum, TSO and GSO off. Frames longer than an
 * Ethernet frame are counted as `oversize` and not carried.
 *
 * Prints "ready" once it carries frames; on SIGTERM prints its counts as JSON and ends.
 */
#include "impair_path.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000.0
#define BATCH 64
#define IFACE_WAIT_MS 20000
#define SOCKET_BUFFER (16 << 20)
/* Above every ordinary process: the box must be on time whoever else computes. */
#define PRIORITY 10
#define SNAP 128 /* bytes of a frame that a trace keeps: all headers */
/* Packets that the queue holds at least: a BDP of fewer would be no queue. */
#define QUEUE_LEAST_BYTES (32 * 1514)

struct box {
	int fd[2]; /* left, right */
	bool is_socket[2];
	struct path path[2]; /* from fd[i] to fd[!i] */
	uint64_t refused[2]; /* frames that interface i did not take */
	uint64_t late_ns, late_most_ns, delivered;
	FILE *trace;
};

struct setup {
	const char *iface[2];
	struct path_setup path[2];
	bool queue_given;
	const char *trace;
};

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void
fail(const char *what, const char *name)
{
	fprintf(stderr, "impair: %s %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static int
open_tap(const char *name)
{
	struct ifreq ifr;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) != 0)
		fail("cannot make the tap", name);
	return fd;
}

/* The interface's number, once it exists and is up. */
static unsigned int
wait_for_interface(const char *name)
{
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ms;

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	for (ms = 0; ms < IFACE_WAIT_MS; ms++) {
		if (ioctl(fd, SIOCGIFFLAGS, &ifr) == 0 && (ifr.ifr_flags & IFF_UP) != 0)
			break;
		usleep(1000);
	}
	close(fd);
	if (ms == IFACE_WAIT_MS) {
		errno = ENODEV;
		fail("no such interface, or it is down:", name);
	}
	return if_nametoindex(name);
}

static int
open_socket(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int on = 1, size = SOCKET_BUFFER;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	at.sll_ifindex = (int)wait_for_interface(name);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
		bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		fail("cannot hold a packet socket to", name);
	return fd;
}

static void
open_interface(struct box *box, int side, const char *text)
{
	box->is_socket[side] = strncmp(text, "if:", 3) == 0;
	if (box->is_socket[side])
		box->fd[side] = open_socket(text + 3);
	else
		box->fd[side] = open_tap(text + 4);
}

/* Traces show what the left host sends and gets, in the format of libpcap with ns. */
static void
trace_begin(struct box *box, const char *name)
{
	const uint32_t header[6] = { 0xa1b23c4d, 4u << 16 | 2, 0, 0, SNAP, 1 };

	box->trace = fopen(name, "wb");
	if (box->trace == NULL || fwrite(header, sizeof(header), 1, box->trace) != 1)
		fail("cannot write", name);
}

static void
trace_frame(struct box *box, const uint8_t *data, uint32_t len)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	uint32_t kept = len < SNAP ? len : SNAP;
	const uint32_t record[4] = { (uint32_t)(now / NS_PER_S), (uint32_t)(now % NS_PER_S), kept, len };

	if (box->trace == NULL)
		return;
	fwrite(record, sizeof(record), 1, box->trace);
	fwrite(data, kept, 1, box->trace);
}

static void
receive(struct box *box, int side)
{
	uint8_t frame[65536 + 64];
	ssize_t len;
	int i;

	for (i = 0; i < BATCH; i++) {
		len = read(box->fd[side], frame, sizeof(frame));
		if (len <= 0)
			return;
		if (side == 0)
			trace_frame(box, frame, (uint32_t)len);
		path_enter(&box->path[side], frame, (uint32_t)len, clock_ns(CLOCK_MONOTONIC));
	}
}

/* Delivers what is due from one side to the other. */
static void
deliver(struct box *box, int side)
{
	const struct path_frame *frame;
	uint64_t now = clock_ns(CLOCK_MONOTONIC);
	int i;

	for (i = 0; i < BATCH && (frame = path_leave(&box->path[side], now)) != NULL; i++) {
		if (side == 1)
			trace_frame(box, frame->data, frame->len);
		if (write(box->fd[!side], frame->data, frame->len) != frame->len)
			box->refused[!side]++;
		box->delivered++;
		box->late_ns += now - frame->due_ns;
		if (now - frame->due_ns > box->late_most_ns)
			box->late_most_ns = now - frame->due_ns;
	}
}

static void
arm(const struct box *box, int timer)
{
	uint64_t left = path_next_ns(&box->path[0]), right = path_next_ns(&box->path[1]);
	uint64_t due = left < right ? left : right;
	struct itimerspec at = { .it_value = { 0, 0 } };

	if (due != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(due / NS_PER_S);
		at.it_value.tv_nsec = (long)(due % NS_PER_S);
	}
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		fail("cannot watch", "a descriptor");
}

static void
carry(struct box *box, const sigset_t *ending)
{
	struct epoll_event events[4];
	int epoll = epoll_create1(0);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int end = signalfd(-1, ending, SFD_NONBLOCK);
	int i, n;

	watch(epoll, box->fd[0]);
	watch(epoll, box->fd[1]);
	watch(epoll, timer);
	watch(epoll, end);
	for (;;) {
		arm(box, timer);
		n = epoll_wait(epoll, events, 4, -1);
		for (i = 0; i < n; i++)
			if (events[i].data.fd == end)
				return;
		receive(box, 0);
		receive(box, 1);
		deliver(box, 0);
		deliver(box, 1);
	}
}

static uint64_t
socket_drops(const struct box *box, int side)
{
	struct tpacket_stats stats = { 0, 0 };
	socklen_t len = sizeof(stats);

	if (box->is_socket[side])
		getsockopt(box->fd[side], SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	return stats.tp_drops;
}

static void
report_path(const struct box *box, int side, const char *name)
{
	const struct path *p = &box->path[side];
	const struct path_counts *c = &p->counts;
	const struct {
		const char *name;
		uint64_t value;
	} list[] = {
		{ "data", c->data }, { "bare", c->bare }, { "arp", c->arp }, { "foreign", c->foreign },
		{ "oversize", c->oversize }, { "lost_data", c->lost_data }, { "lost_bare", c->lost_bare },
		{ "queue_dropped", c->queue_dropped }, { "reordered", c->reordered },
		{ "marked", c->marked },
		{ "forwarded", c->forwarded }, { "forwarded_bytes", c->forwarded_bytes },
		{ "queue_most_bytes", c->queue_most_bytes },
		{ "queue_bytes", p->setup.queue_bytes }, { "refused", box->refused[!side] },
		{ "socket_drops", socket_drops(box, side) },
	};
	uint64_t i;

	printf("\"%s\": {", name);
	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		printf("\"%s\": %llu, ", list[i].name, (unsigned long long)list[i].value);
	printf("\"lost\": [");
	for (i = 0; i < c->lost_data && i < PATH_LOST_MAX; i++)
		printf("%s%llu", i > 0 ? ", " : "", (unsigned long long)p->lost[i]);
	printf("]}, ");
}

static void
report(const struct box *box)
{
	uint64_t n = box->delivered > 0 ? box->delivered : 1;

	printf("{");
	report_path(box, 0, "to_right");
	report_path(box, 1, "to_left");
	printf("\"late_us_mean\": %.1f, \"late_us_most\": %.1f}\n", (double)(box->late_ns / n) / 1e3,
		(double)box->late_most_ns / 1e3);
}

static const char usage[] =
	"usage: impair --left if:NAME|tap:NAME --right if:NAME|tap:NAME [--seed N]\n"
	"       [--delay MS] [--rate MBIT_PER_S] [--queue BYTES] [--loss PERCENT]\n"
	"       [--reorder PERCENT] [--reorder-extra MS] [--mark PERCENT] [--pcap FILE]\n"
	"A number may be two, A,B: from left to right, and from right to left. The queue holds what the\n"
	"link carries in both delays, if it is not given, and 32 full frames at least.\n";

static void
bad(const char *what, const char *value)
{
	fprintf(stderr, "impair: %s: '%s'\n%s", what, value, usage);
	exit(2);
}

enum { OPT_LEFT = 1, OPT_RIGHT, OPT_SEED, OPT_DELAY, OPT_RATE, OPT_QUEUE, OPT_LOSS, OPT_REORDER,
	OPT_REORDER_EXTRA, OPT_MARK, OPT_PCAP };

static const struct option options[] = {
	{ "left", 1, NULL, OPT_LEFT }, { "right", 1, NULL, OPT_RIGHT }, { "seed", 1, NULL, OPT_SEED },
	{ "delay", 1, NULL, OPT_DELAY }, { "rate", 1, NULL, OPT_RATE },
	{ "queue", 1, NULL, OPT_QUEUE }, { "loss", 1, NULL, OPT_LOSS },
	{ "reorder", 1, NULL, OPT_REORDER }, { "reorder-extra", 1, NULL, OPT_REORDER_EXTRA },
	{ "mark", 1, NULL, OPT_MARK }, { "pcap", 1, NULL, OPT_PCAP }, { NULL, 0, NULL, 0 }
};

/* One number, or two. */
static void
parse_pair(const char *text, double most, double value[2])
{
	char *end;
	int i;

	for (i = 0; i < 2; i++) {
		value[i] = strtod(text, &end);
		if (end == text || (*end != '\0' && (*end != ',' || i == 1)) || value[i] < 0 ||
			value[i] > most)
			bad("not one or two numbers within bounds", text);
		if (*end == ',')
			text = end + 1;
	}
}

static void
parse_number(int opt, struct setup *setup)
{
	double value[2];
	int i;

	parse_pair(optarg,
		opt == OPT_LOSS || opt == OPT_REORDER || opt == OPT_MARK ? 100 : 1e9, value);
	for (i = 0; i < 2; i++) {
		struct path_setup *p = &setup->path[i];

		if (opt == OPT_DELAY)
			p->delay_ns = (uint64_t)(value[i] * NS_PER_MS);
		else if (opt == OPT_RATE)
			p->rate_bps = (uint64_t)(value[i] * 1e6);
		else if (opt == OPT_QUEUE)
			p->queue_bytes = (uint64_t)value[i];
		else if (opt == OPT_LOSS)
			p->loss = value[i] / 100;
		else if (opt == OPT_REORDER)
			p->reorder = value[i] / 100;
		else if (opt == OPT_MARK)
			p->mark = value[i] / 100;
		else if (opt == OPT_REORDER_EXTRA)
			p->reorder_ns = (uint64_t)(value[i] * NS_PER_MS);
	}
	setup->queue_given |= opt == OPT_QUEUE;
}

static void
parse_option(int opt, struct setup *setup)
{
	switch (opt) {
	case OPT_LEFT:
	case OPT_RIGHT:
		if (strncmp(optarg, "if:", 3) != 0 && strncmp(optarg, "tap:", 4) != 0)
			bad("neither if:NAME nor tap:NAME", optarg);
		setup->iface[opt == OPT_RIGHT] = optarg;
		break;
	case OPT_SEED:
		setup->path[0].seed = setup->path[1].seed = strtoull(optarg, NULL, 10);
		break;
	case OPT_PCAP:
		setup->trace = optarg;
		break;
	case '?':
		bad("no such option", "");
		break;
	default:
		parse_number(opt, setup);
	}
}

static void
set_queues(struct setup *setup)
{
	uint64_t rtt_ns = setup->path[0].delay_ns + setup->path[1].delay_ns;
	int i;

	setup->path[1].number = 1;
	for (i = 0; i < 2 && !setup->queue_given; i++) {
		struct path_setup *p = &setup->path[i];

		p->queue_bytes = (uint64_t)((double)p->rate_bps * (double)rtt_ns / 8e9);
		if (p->queue_bytes < QUEUE_LEAST_BYTES)
			p->queue_bytes = QUEUE_LEAST_BYTES;
	}
}

int
main(int argc, char **argv)
{
	static struct setup setup;
	static struct box box;
	struct sched_param priority = { .sched_priority = PRIORITY };
	sigset_t ending;
	int opt, i;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(opt, &setup);
	if (setup.iface[0] == NULL || setup.iface[1] == NULL)
		bad("missing", "--left and --right");
	set_queues(&setup);
	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	for (i = 0; i < 2; i++) {
		open_interface(&box, i, setup.iface[i]);
		if (path_init(&box.path[i], &setup.path[i]) != 0)
			fail("no memory for", "frames");
	}
	if (setup.trace != NULL)
		trace_begin(&box, setup.trace);
	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		fprintf(stderr, "impair: no real-time priority: %s\n", strerror(errno));
	printf("ready\n");
	fflush(stdout);
	carry(&box, &ending);
	report(&box);
	if (box.trace != NULL)
		fclose(box.trace);
	path_free(&box.path[0]);
	path_free(&box.path[1]);
	return 0;
}

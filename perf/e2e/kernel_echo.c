/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The kernel's TCP as the baseline: a server of one thread on one core, epoll edge-triggered,
 * TCP_NODELAY.
 *
 *   echo    sends back what comes
 *   sink    reads, and forgets what it read
 *   source  writes whatever the peer takes
 *
 * It closes a connection when the peer has closed it. It prints "ready" once it listens, and ends
 * on SIGTERM.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "kernel_common.h"

#define LISTENER UINT64_MAX /* in place of a descriptor, in an event */

static const char name[] = "kernel_echo";
static const char usage[] = "usage: kernel_echo --listen ADDRESS --port PORT [options]\n"
			    "  --work echo|sink|source   [echo]\n"
			    "  --size BYTES              of one read or write          [65536]\n"
			    "  --core N                  that it is tied to            [any]\n";

enum work { WORK_ECHO, WORK_SINK, WORK_SOURCE };

/* What a peer did not take yet. */
struct rest {
	uint8_t *bytes;
	uint32_t at, len;
};

static enum work work;
static uint32_t size = 65536;
static uint8_t *buffer;
static struct rest *rests; /* by descriptor */
static uint32_t descriptors;
static int epoll, listener;
static volatile sig_atomic_t stopping;

static void
on_signal(int sig)
{
	(void)sig;
	stopping = 1;
}

static void
end(int fd)
{
	free(rests[fd].bytes);
	rests[fd] = (struct rest){0};
	close(fd);
}

static void
accept_all(void)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		struct epoll_event event = {.events = KERNEL_INTEREST, .data.u64 = (uint64_t)fd};

		if (fd < 0)
			return;
		if ((uint32_t)fd >= descriptors) {
			close(fd);
			continue;
		}
		kernel_no_delay(fd);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			kernel_fail(name, "epoll_ctl");
	}
}

/* ---- echo */

/* Keeps what the peer did not take; it is asked again when it can. */
static bool
keep(int fd, const uint8_t *bytes, uint32_t len)
{
	uint8_t *copy = malloc(len);

	if (copy == NULL)
		return false;
	memcpy(copy, bytes, len);
	rests[fd] = (struct rest){.bytes = copy, .len = len};
	return true;
}

/* Returns whether the connection lives on. */
static bool
say(int fd, const uint8_t *bytes, uint32_t len)
{
	ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent < 0)
		sent = 0;
	return (uint32_t)sent == len || keep(fd, bytes + sent, len - (uint32_t)sent);
}

/* Returns whether the connection lives on. */
static bool
say_rest(int fd)
{
	struct rest *rest = &rests[fd];
	ssize_t sent = send(fd, rest->bytes + rest->at, rest->len - rest->at, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN;
	rest->at += (uint32_t)sent;
	if (rest->at < rest->len)
		return true;
	free(rest->bytes);
	*rest = (struct rest){0};
	return true;
}

/* Reads until there is nothing more. A short read says so, unless the peer has finished behind it.
 */
static bool
echo(int fd, uint32_t events)
{
	if (rests[fd].bytes != NULL && !say_rest(fd))
		return false;
	while (rests[fd].bytes == NULL) {
		ssize_t got = recv(fd, buffer, size, 0);

		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		if (!say(fd, buffer, (uint32_t)got))
			return false;
		if ((uint32_t)got < size && (events & EPOLLRDHUP) == 0)
			return true;
	}
	return true;
}

/* ---- bulk */

static bool
bulk(int fd)
{
	for (int calls = 0; calls < KERNEL_CALLS_IN_A_ROW; calls++) {
		ssize_t n = work == WORK_SINK ? recv(fd, buffer, size, 0)
					      : send(fd, buffer, size, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
	}
	kernel_again(epoll, fd, (uint64_t)fd);
	return true;
}

static void
on_event(const struct epoll_event *event)
{
	int fd = (int)event->data.u64;
	bool lives;

	if (event->data.u64 == LISTENER) {
		accept_all();
		return;
	}
	if ((event->events & (EPOLLERR | EPOLLHUP)) != 0)
		lives = false;
	else if (work == WORK_ECHO)
		lives = echo(fd, event->events);
	else
		lives = bulk(fd);
	if (!lives)
		end(fd);
}

static void
serve(void)
{
	struct epoll_event events[KERNEL_EVENTS];

	while (!stopping) {
		int n = epoll_wait(epoll, events, KERNEL_EVENTS, -1);

		for (int i = 0; i < n; i++)
			on_event(&events[i]);
	}
}

/* ---- life */

static void
listen_on(const struct sockaddr_in *address)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = LISTENER};

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (const struct sockaddr *)address, sizeof(*address)) != 0 ||
		listen(listener, 65535) != 0)
		kernel_fail(name, "cannot listen");
	epoll = epoll_create1(0);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
		kernel_fail(name, "epoll_ctl");
}

static void
take(struct sockaddr_in *address, const char *option, const char *value)
{
	if (strcmp(option, "listen") == 0 && inet_pton(AF_INET, value, &address->sin_addr) == 1)
		return;
	if (strcmp(option, "port") == 0) {
		address->sin_port = htons((uint16_t)kernel_number(name, option, value, 65535));
	} else if (strcmp(option, "work") == 0 && strcmp(value, "echo") == 0) {
		work = WORK_ECHO;
	} else if (strcmp(option, "work") == 0 && strcmp(value, "sink") == 0) {
		work = WORK_SINK;
	} else if (strcmp(option, "work") == 0 && strcmp(value, "source") == 0) {
		work = WORK_SOURCE;
	} else if (strcmp(option, "size") == 0) {
		size = (uint32_t)kernel_number(name, option, value, KERNEL_SIZE_MOST);
	} else if (strcmp(option, "core") == 0) {
		kernel_tie_to_core(
			name, (unsigned int)kernel_number(name, option, value, CPU_SETSIZE - 1));
	} else {
		fprintf(stderr, "%s: --%s %s\n%s", name, option, value, usage);
		exit(2);
	}
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {{"listen", 1, NULL, 0}, {"port", 1, NULL, 0},
		{"work", 1, NULL, 0}, {"size", 1, NULL, 0}, {"core", 1, NULL, 0}, {0}};
	struct sockaddr_in address = {.sin_family = AF_INET};
	int index;

	while (getopt_long(argc, argv, "", options, &index) == 0)
		take(&address, options[index].name, optarg);
	if (optind < argc || address.sin_port == 0 || size == 0) {
		fputs(usage, stderr);
		exit(2);
	}
	signal(SIGTERM, on_signal);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* it serves one measurement, and outlives nobody */
	descriptors = kernel_descriptors();
	rests = calloc(descriptors, sizeof(*rests));
	buffer = calloc(1, size);
	if (rests == NULL || buffer == NULL)
		kernel_fail(name, "no memory");
	listen_on(&address);
	printf("ready\n");
	fflush(stdout);
	serve();
	return 0;
}

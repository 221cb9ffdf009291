/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_PERF_KERNEL_COMMON_H
#define RILL_PERF_KERNEL_COMMON_H

/* What the two ends of the kernel's baseline share: kernel_echo serves, kernel_load plays the
 * clients. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define KERNEL_EVENTS 256           /* of one epoll_wait */
#define KERNEL_SIZE_MOST (1u << 20) /* bytes of a message, or of one call of bulk */
#define KERNEL_CALLS_IN_A_ROW 16    /* of bulk, before the other connections have their turn */
#define KERNEL_INTEREST (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* Ends the program with a sentence. */
static inline void
kernel_fail(const char *program, const char *what)
{
	fprintf(stderr, "%s: %s: %m\n", program, what);
	exit(1);
}

static inline uint64_t
kernel_number(const char *program, const char *option, const char *text, uint64_t most)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end == 0 && end != text && text[0] != '-' && n <= most)
		return n;
	fprintf(stderr, "%s: --%s %s: give a whole number up to %lu\n", program, option, text,
		(unsigned long)most);
	exit(2);
}

static inline void
kernel_tie_to_core(const char *program, unsigned int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		kernel_fail(program, "the core cannot be had");
}

/* As many descriptors as root may ask for. Returns how many there are. */
static inline uint32_t
kernel_descriptors(void)
{
	struct rlimit limit = {.rlim_cur = 1u << 20, .rlim_max = 1u << 20};

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
		getrlimit(RLIMIT_NOFILE, &limit);
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	return (uint32_t)(limit.rlim_cur < 1u << 20 ? limit.rlim_cur : 1u << 20);
}

static inline void
kernel_no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* Has epoll report once more what is ready already. */
static inline void
kernel_again(int epoll, int fd, uint64_t data)
{
	struct epoll_event event = {.events = KERNEL_INTEREST, .data.u64 = data};

	epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

#endif

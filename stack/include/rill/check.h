/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_CHECK_H
#define RILL_CHECK_H

/**
 * @file
 * Looking at the machine and at the ports of a configuration: what will be done in hardware, what in
 * software, what is missing, and what to do about it.
 *
 * rill_stack_create looks too, at what would keep it from running, and refuses with the same sentences.
 */

#include <rill/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rill_check_status {
	RILL_CHECK_OK,       /**< as it should be */
	RILL_CHECK_SOFTWARE, /**< the device does not do it: Rill does */
	RILL_CHECK_MISSING,  /**< it runs without, and would run better with it */
	RILL_CHECK_WRONG,    /**< it does not run so */
	RILL_CHECK_STATUS_COUNT
};

/** The strings are the callee's for the time of the call. */
struct rill_finding {
	enum rill_check_status status;
	const char *subject; /**< "machine", "stack", or a port's name */
	const char *what;    /**< "hugepages", "TCP checksums": a few words, the same every time */
	const char *fact;    /**< how it is */
	const char *fix;     /**< what to do about it; empty: nothing */
};

typedef void (*rill_check_fn)(const struct rill_finding *finding, void *user);

/** "ok", "software", "missing", "wrong". */
RILL_API const char *rill_check_status_name(enum rill_check_status status);

/**
 * Looks at the machine and the ports, brings a stack of this configuration up and takes it down again;
 * nothing is sent. Each finding is told as it is made. EAL is started if it does not run, and left running.
 * Returns 0 if rill_stack_create would work; else its error, with its sentence.
 */
RILL_API int rill_check(const struct rill_config *config, rill_check_fn tell, void *user);

#ifdef __cplusplus
}
#endif

#endif

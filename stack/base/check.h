/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_CHECK_H
#define RILL_BASE_CHECK_H

/*
 * Our own mistakes. RILL_ASSERT stays in release builds, where it is cheap; RILL_DCHECK is for
 * debug builds (buildtype debug or debugoptimized: RILL_DEBUG). What a stranger sends never trips
 * either.
 */

#include <stdio.h>
#include <stdlib.h>

#define RILL_ASSERT(cond)                                                                          \
	do {                                                                                       \
		if (__builtin_expect(!(cond), 0)) {                                                \
			fprintf(stderr, "rill: %s:%d: %s: assertion failed: %s\n", __FILE__,       \
				__LINE__, __func__, #cond);                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#ifdef RILL_DEBUG
#define RILL_DCHECK(cond) RILL_ASSERT(cond)
#else
#define RILL_DCHECK(cond)                                                                          \
	do {                                                                                       \
		(void)sizeof(cond);                                                                \
	} while (0)
#endif

#endif

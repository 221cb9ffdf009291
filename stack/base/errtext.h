/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_ERRTEXT_H
#define RILL_BASE_ERRTEXT_H

/* The sentence behind rill_error(): one per thread. Not for the data path. */

#define ERRTEXT_MAX 512 /* bytes kept, the final NUL included; what is longer is cut */

/*
 * Formats it (rill_error() may be among the arguments) and returns code, so that
 * `return error_set(-EINVAL, "...")` reads well.
 */
int error_set(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RILL_BASE_OPTIONS_H
#define RILL_BASE_OPTIONS_H

/* Options by number, for what handles them all alike: rill_set, configuration. */

#include <rill/options.h>
#include <stdint.h>

/* The value of an option that exists. */
int32_t options_get(const struct rill_options *options, enum rill_option option);

/* Sets it. Returns 0, or -EINVAL and changes nothing: no such option, or value out of bounds. */
int options_set(struct rill_options *options, enum rill_option option, int32_t value);

#endif

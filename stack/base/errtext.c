/* SPDX-License-Identifier: BSD-3-Clause */
#include "errtext.h"

#include <rill/types.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char errtext[ERRTEXT_MAX];

int
error_set(int code, const char *format, ...)
{
	char text[ERRTEXT_MAX]; /* so that the old sentence may be part of the new one */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	memcpy(errtext, text, sizeof(errtext));
	return code;
}

const char *
rill_error(void)
{
	return errtext;
}

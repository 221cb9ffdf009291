/* SPDX-License-Identifier: BSD-3-Clause */
#include "proto.h"

#include <stddef.h>
#include <string.h>

const struct proto *
proto_by_name(const char *name)
{
	static const struct proto *const protos[] = {
		&proto_raw, &proto_line, &proto_length, &proto_http,
	};

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (strcmp(protos[i]->name, name) == 0)
			return protos[i];
	return NULL;
}

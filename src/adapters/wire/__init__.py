"""What travels over HTTP, as msgspec structs: shared by the routes and by the gateway.

Requests become domain values here and domain values become answers; fields of the same name are
carried over by msgspec. The rules of the values are the domain's own. Durations are in seconds,
times are RFC 3339 in UTC.
"""

"""OTLP over HTTP and gRPC; the only place that speaks status codes.

The way in is `serve`: it starts both servers. A request is read by `otlp_http`
or `otlp_grpc`, decompressed by `bodies`, turned to protobuf by `otlp_json` if it
is JSON, checked by `otlp` and handed to the spool by `intake`. What can go wrong
on that way, and how each transport says it, is one table: `outcomes`.
"""

/*
 * up_h2_frames.h -- keeps mod_http2's empty DATA frames from gRPC's clients.
 *
 * Before the HEADERS frame with the trailers, mod_http2 (seen in 2.0.42) sends
 * a DATA frame of no bytes that does not end the stream. Node's HTTP/2 client
 * takes such frames for an attack and ends the connection after 1,000 of them
 * (CVE-2019-9518's remedy). This filter on the way to the client drops them;
 * they carry nothing, so nobody misses them. It can go when mod_http2 no
 * longer sends them. With the filter in place no test can tell: let
 * up_h2_frames_insert() add nothing, and t/30grpc/frames.t fails as long as
 * they are sent.
 */
#ifndef UP_H2_FRAMES_H
#define UP_H2_FRAMES_H

#include <httpd.h>

/* Register the filter. */
void up_h2_frames_register(void);

/* pre_connection: put the filter on C if it is a client's connection to a
 * process that serves profiles. */
int up_h2_frames_insert(conn_rec *c, void *socket);

#endif

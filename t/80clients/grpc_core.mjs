// grpc_core.mjs -- grpc of Python and of Ruby, over h2c and TLS: gRPC's library
// in C, which has an HTTP/2 of its own.
import { grpcAgent } from './lib/grpc_agent.mjs';
import { play } from './lib/scenario.mjs';
import { setup } from './lib/setup.mjs';
import { done } from './lib/tap.mjs';

for (const [name, file] of [
    ['Python', 'grpc_python.py'], ['Ruby', 'grpc_ruby.rb'],
]) {
    await play(grpcAgent(`grpc of ${name} over h2c`, file,
        `127.0.0.1:${setup.port}`));
    await play(grpcAgent(`grpc of ${name} over TLS`, file,
        `localhost:${setup.tls_port}`, setup.certificate));
}
done();

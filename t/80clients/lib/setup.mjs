// setup.mjs -- what Clients.pm prepared: ports, tokens, ids.
export const setup = JSON.parse(process.env.UP_SETUP);

export const h2c = `http://127.0.0.1:${setup.port}`;
// By its name: no TLS client sends an address in its greeting.
export const tls = `https://localhost:${setup.tls_port}`;

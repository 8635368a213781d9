// What tests of calls in the library share: faults in every call, what says that a request is one, and a server that keeps
// what it was asked.

import { once } from 'node:events';
import http from 'node:http';
import { after, before } from 'node:test';
import { fault } from '../../index.mjs';

export const scope = (service) =>
  `AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
export const FORM = { 'content-type': 'application/x-www-form-urlencoded', authorization: scope('sns') };
export const signed = { headers: { Authorization: scope('lambda') } };
export const every = (more = {}) => fault.aws_call({ service: [{ exists: true }] }, 'AccessDenied', more);
export const slow = (delay_ms) => fault.aws_call({ service: [{ exists: true }] }, undefined, { delay_ms });
export const DENIED = '{"__type":"AccessDenied","message":"injected by Faultlayer"}';

/** A server for the tests of a file, which answers with `{}`; `asked` is what it was asked. */
export function answering() {
  const asked = [];
  const server = http.createServer(async (request, answer) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method, url: request.url, body });
    answer.setHeader('content-type', 'application/json').end('{}');
  });
  const own = {
    asked,
    port: undefined,
    url: undefined,
    /** A request by Node's own client: its status, its body, and the request. */
    async send(path, options = {}, body = undefined, by = http.request) {
      const request = by(own.url + path, options);
      if (by === http.request) request.end(body);
      const [answer] = await once(request, 'response');
      return { status: answer.statusCode, body: Buffer.concat(await answer.toArray()).toString(), request };
    },
  };
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    own.port = server.address().port;
    own.url = `http://127.0.0.1:${own.port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return own;
}

// A small Lambda Runtime API on loopback for the tests of the Node layer: it hands events to the real client and keeps
// what came back, with the arrival time of every chunk and the trailers. It judges nothing.

import http from 'node:http';
import { once } from 'node:events';

const BASE = '/2018-06-01/runtime';

/** Opens the API on a free port. `invoke` resolves with what the client posted; `initError` with its init error. */
export async function runtimeApi() {
  const queue = [];
  const idle = [];
  const open = new Map();
  let initError;
  const initErrorSeen = new Promise((resolve) => (initError = resolve));
  let firstNext;
  const ready = new Promise((resolve) => (firstNext = resolve));

  const hand = () => {
    while (queue.length && idle.length) {
      const call = queue.shift();
      const res = idle.shift();
      open.set(call.id, call);
      call.handed = performance.now();
      res.writeHead(200, {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Aws-Request-Id': call.id,
        'Lambda-Runtime-Deadline-Ms': String(call.deadline ?? Date.now() + call.timeout),
        'Lambda-Runtime-Invoked-Function-Arn': call.arn,
        ...(call.clientContext === undefined ? {} : { 'Lambda-Runtime-Client-Context': call.clientContext }),
      });
      res.end(call.body);
    }
  };

  const server = http.createServer((req, res) => {
    const path = req.url ?? '';
    if (path === `${BASE}/invocation/next`) {
      firstNext();
      idle.push(res);
      res.on('close', () => {
        const at = idle.indexOf(res);
        if (at >= 0) idle.splice(at, 1);
      });
      return hand();
    }
    const chunks = [];
    const answer = { chunks: [] };
    const done = path.match(/^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/);
    const answering = done && open.get(decodeURIComponent(done[1]));
    if (answering) answering.answering = true;
    req.on('data', (chunk) => {
      chunks.push(chunk);
      answer.chunks.push({ at: performance.now(), bytes: chunk });
      answering?.onChunk?.(answer.chunks.length);
    });
    const finish = (cut) => {
      const bytes = Buffer.concat(chunks);
      Object.assign(answer, {
        headers: req.headers,
        trailers: req.trailers,
        bytes,
        text: bytes.toString('utf8'),
        cut,
        at: performance.now(),
      });
      if (done) {
        open.delete(answering?.id);
        answering?.resolve({ ...answer, kind: done[2], handed: answering.handed });
      } else if (path === `${BASE}/init/error`) {
        initError({ ...JSON.parse(answer.text), header: req.headers['lambda-runtime-function-error-type'] });
      }
    };
    let ended = false;
    req.on('end', () => {
      ended = true;
      finish(false);
      res.writeHead(202, { 'Content-Type': 'application/json' });
      res.end('{"status":"OK"}');
    });
    req.on('close', () => {
      if (!ended) finish(true);
    });
    req.on('error', () => {});
  });
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    address: `127.0.0.1:${server.address().port}`,
    ready,
    initError: initErrorSeen,
    invoke(event, options = {}) {
      return new Promise((resolve) => {
        const call = {
          id: options.id ?? crypto.randomUUID(),
          timeout: options.timeout ?? 3000,
          deadline: options.deadline,
          arn: options.arn ?? 'arn:aws:lambda:us-east-1:000000000000:function:test',
          clientContext: options.clientContext,
          onChunk: options.onChunk,
          body: typeof event === 'string' ? event : JSON.stringify(event),
          resolve,
        };
        queue.push(call);
        hand();
      });
    },
    /** Resolves once the client asks for the next event, so many times at once: what belongs to the ones before is over. */
    async waiting(times = 1) {
      while (idle.length < times) await new Promise((resolve) => setTimeout(resolve, 2));
    },
    /** Answers every open call with what ended the process; one whose answer had begun ends with its connection. */
    crash(reason) {
      for (const call of [...open.values(), ...queue]) if (!call.answering) call.resolve({ kind: 'crash', ...reason });
      queue.length = 0;
    },
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

// Calls to AWS by Node's own clients in the library: however a request is made, whatever its agent, it is answered or held as
// one call, and all of it stays the client's.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { before, describe, test } from 'node:test';
import { fault, withFaults } from '../index.mjs';
import { DENIED, FORM, answering, every, scope, signed, slow } from './support/calls.mjs';

describe("calls to AWS by Node's own clients", () => {
  const server = answering();
  const { asked, send } = server;
  let url;
  before(() => ({ url } = server));

  /** As agents of proxies are: it connects, and hands that over later. */
  const tunnel = {
    defaultPort: 80,
    addRequest(request, { host, port }) {
      const socket = net.connect({ host, port }, () => request.onSocket(socket));
      socket.once('error', (error) => request.onSocket(socket, error));
    },
  };
  const KINDS = {
    'a URL and options': (by) => send('/2015-03-31/functions', signed, undefined, by),
    'options alone': (by) => {
      const options = { ...signed, port: server.port, path: '/2015-03-31/functions' };
      return send('', {}, undefined, (_, __) => (by === http.get ? by(options) : by(options).end()));
    },
    'a presigned URL': (by) =>
      send('/2015-03-31/functions?X-Amz-Credential=A%2F20261126%2Feu-west-1%2Flambda%2Faws4_request', {}, undefined, by),
    'an agent of its own': (by) => send('/', { ...signed, agent: new http.Agent({ keepAlive: true }) }, undefined, by),
    'an agent for itself': (by) => send('/', { ...signed, agent: false }, undefined, by),
    "an agent that is none of Node's": (by) => send('/', { ...signed, agent: tunnel }, undefined, by),
    'a connection of its own': (by) => send('/', { ...signed, createConnection: net.connect }, undefined, by),
    'a connection that it waits for': (by) => {
      const createConnection = (options, done) => void setTimeout(() => done(null, net.connect(options)), 5);
      return send('/', { ...signed, createConnection }, undefined, by);
    },
    "headers in turn, by an agent that is none of Node's": (by) => {
      const headers = ['host', 'x', 'authorization', scope('lambda')];
      return send('/', { headers, agent: tunnel }, undefined, by);
    },
    'headers in turn': (by) => send('/', { headers: ['host', 'x', 'authorization', scope('lambda')] }, undefined, by),
  };
  for (const [name, kind] of Object.entries(KINDS)) {
    for (const how of ['request', 'get']) {
      test(`${name}, by ${how}: answered, or held and then let go`, async () => {
        await withFaults(every(), async () => {
          const { status, body } = await kind(http[how]);
          assert.deepEqual([status, body], [403, DENIED]);
        });
        const before = asked.length;
        await withFaults(slow(40), async () => {
          const started = performance.now();
          assert.equal((await kind(http[how])).body, '{}');
          assert.ok(performance.now() - started >= 40);
        });
        assert.equal(asked.length, before + 1);
      });
    }
  }

  const CONNECTED = {
    'its agent': {},
    "an agent that is none of Node's": { agent: tunnel },
    itself: { createConnection: net.connect },
  };
  test('one that is answered needs no connection, whatever its agent', async () => {
    for (const connected of Object.values(CONNECTED)) {
      await withFaults(every(), async () => {
        const request = http.get({ ...signed, ...connected, port: 1 });
        const [answer] = await once(request, 'response');
        assert.equal(answer.resume().statusCode, 403);
      });
    }
  });

  test('one that asks whether its body is wanted is answered before it has sent that', async () => {
    const pairs = { ...signed.headers, host: 'x', expect: '100-continue', 'transfer-encoding': 'chunked' };
    for (const headers of [pairs, Object.entries(pairs).flat()]) {
      await withFaults(every(), async () => {
        const request = http.request(url, { method: 'PUT', headers });
        if (!Array.isArray(headers)) request.flushHeaders();
        const [answer] = await once(request, 'response');
        assert.equal(answer.resume().statusCode, 403);
        request.destroy();
      });
    }
  });

  test('an agent is told the protocol of one that it gets late, which it cannot see any more', async () => {
    const seen = [];
    class Asking extends http.Agent {
      createSocket(request, options, done) {
        seen.push(options.protocol);
        return super.createSocket(request, options, done);
      }
    }
    const agent = new Asking();
    await withFaults([slow(5), fault.aws_call({ operation: ['Publish'] }, 'Throttling')], async () => {
      const options = { port: server.port, agent };
      await send('', {}, undefined, () => http.request({ ...options, ...signed }).end());
      await send('', {}, undefined, () => http.request({ ...options, headers: FORM, method: 'POST' }).end('Action=Other'));
    });
    assert.deepEqual(seen, ['http:', 'http:']);
  });

  test('one through a proxy, whose path is a whole URL, is known by what follows its host', async () => {
    const path = 'http://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/invocations';
    await withFaults(fault.aws_call({ operation: ['Invoke'] }, 'TooManyRequestsException'), async () => {
      const by = () => http.request({ ...signed, port: server.port, method: 'POST', path }).end();
      assert.equal((await send('', {}, undefined, by)).status, 429);
    });
  });

  test('one that a hook of before stands behind is one call', async () => {
    const { prototype } = http.Agent;
    const bare = prototype.addRequest;
    await withFaults(
      every(),
      () => {
        const ours = prototype.addRequest;
        prototype.addRequest = function (...args) {
          return Reflect.apply(ours, this, args);
        };
      },
      { strict: false },
    );
    try {
      await withFaults(slow(1), async (running) => {
        await send('/', signed);
        assert.equal(running.fired(), 1);
      });
    } finally {
      prototype.addRequest = bare;
    }
  });

  test('one that its agent hands on to another is one call', async () => {
    class Handing extends http.Agent {
      createSocket(request, options) {
        new http.Agent().addRequest(request, options);
      }
    }
    const handing = { addRequest: (request, options) => new Handing().addRequest(request, options) };
    await withFaults(slow(1), async (running) => {
      for (const agent of [new Handing(), handing]) await send('/', { ...signed, agent });
      assert.equal(running.fired(), 2);
    });
  });

  for (const [by, connected] of Object.entries(CONNECTED)) {
    test(`a form, whose body says the operation, connected by ${by}`, async () => {
      const post = (body) => send('/', { method: 'POST', headers: FORM, ...connected }, body);
      await withFaults(fault.aws_call({ operation: ['Publish'] }, 'Throttling'), async (running) => {
        for (const body of ['Action=Publish&Message=a', Buffer.from('Message=a&Action=Publish')]) {
          assert.equal((await post(body)).status, 400);
        }
        const before = asked.length;
        const { status } = await post('Action=ListTopics');
        assert.deepEqual([status, asked.slice(before)], [200, [{ method: 'POST', url: '/', body: 'Action=ListTopics' }]]);
        assert.equal(running.fired(), 2);
      });
    });
  }

  test('what is no call to AWS goes its own way', async () => {
    await withFaults(
      every(),
      async (running) => {
        assert.equal((await send('/', { headers: { authorization: 'Bearer x' } })).status, 200);
        assert.deepEqual(running.records, []);
      },
      { strict: false },
    );
  });

  for (const [whose, options] of [
    ['its own timeout', { timeout: 30 }],
    ["its agent's timeout", { agent: new http.Agent({ timeout: 30 }) }],
  ]) {
    test(`one that is held ends by ${whose}, and its connection with it`, async () => {
      await withFaults(slow(60_000), async () => {
        const request = http.request(url, { ...signed, ...options });
        request.end();
        await once(request, 'timeout');
        request.destroy(new Error('gave up'));
        const [error] = await once(request, 'error');
        assert.equal(error.message, 'gave up');
      });
    });
  }

  test("one that wants no timeout has none of its agent's while it is held", async () => {
    await withFaults(slow(80), async () => {
      const agent = new http.Agent({ timeout: 20 });
      const timedOut = [];
      const by = () =>
        http
          .request(url, { ...signed, agent, timeout: 0 })
          .on('timeout', () => timedOut.push(1))
          .end();
      assert.equal((await send('', {}, undefined, by)).status, 200);
      assert.deepEqual(timedOut, []);
    });
  });

  test("one that was held ends by its agent's timeout where the server does not answer either", async () => {
    const silent = http.createServer(() => {});
    await new Promise((listening) => silent.listen(0, '127.0.0.1', listening));
    try {
      await withFaults(slow(5), async () => {
        const agent = new http.Agent({ timeout: 60 });
        const request = http.request(`http://127.0.0.1:${silent.address().port}/`, { ...signed, agent });
        request.end();
        await once(request, 'timeout');
        request.destroy(new Error('gave up'));
        await once(request, 'error');
      });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  test('one that is held goes on over a pooled connection, and gives it back', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await send('/', { ...signed, agent });
    await withFaults(slow(5), async () => {
      for (let n = 0; n < 3; n += 1) {
        const large = 'x'.repeat(300_000);
        const { body } = await send('/large', { ...signed, agent, method: 'PUT' }, large);
        assert.deepEqual([body, asked.at(-1).body.length], ['{}', large.length]);
      }
    });
    await new Promise(setImmediate);
    assert.equal(Object.values(agent.freeSockets).flat().length, 1);
    agent.destroy();
  });

  for (const [by, connected] of Object.entries(CONNECTED)) {
    test(`one that is held meets what is wrong with its connection by ${by}`, async () => {
      await withFaults(
        slow(5),
        async () => {
          const request = http.request({ ...signed, ...connected, port: 1 });
          request.end();
          const [error] = await once(request, 'error');
          assert.equal(error.code, 'ECONNREFUSED');
        },
        { strict: false },
      );
    });
  }

  test('the event loop goes on meanwhile', async () => {
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 5);
    await withFaults(slow(100), () => send('/', signed));
    clearInterval(ticking);
    assert.ok(ticks >= 5, `${ticks} ticks`);
  });
});

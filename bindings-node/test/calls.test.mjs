// Calls to AWS in the library: whose they are, by which clients, and that nothing of the hook is left behind.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { fault, plan, withFaults, wrap } from '../index.mjs';
import { faults } from '../node-test.mjs';

const require = createRequire(import.meta.url);
const middy = (await import('@middy/core')).default;
const faultlayer = require('../middy.cjs');
const S3 = require('aws-sdk/clients/s3');

const scope = (service) =>
  `AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
const FORM = { 'content-type': 'application/x-www-form-urlencoded', authorization: scope('sns') };
const CREDENTIALS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
const every = (more = {}) => fault.aws_call({ service: [{ exists: true }] }, 'AccessDenied', more);
const slow = (delay_ms) => fault.aws_call({ service: [{ exists: true }] }, undefined, { delay_ms });

describe('calls to AWS', () => {
  /** Answers with `{}`, and keeps what it was asked. */
  const asked = [];
  const server = http.createServer(async (request, answer) => {
    const body = Buffer.concat(await request.toArray()).toString();
    asked.push({ method: request.method, url: request.url, body });
    answer.setHeader('content-type', 'application/json').end('{}');
  });
  let url;
  let put;
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${server.address().port}`;
    const client = new DynamoDBClient({ endpoint: url, region: 'eu-west-1', credentials: CREDENTIALS, maxAttempts: 1 });
    put = () => client.send(new PutItemCommand({ TableName: 'orders', Item: { id: { S: '1' } } }));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A request by Node's own client: its status, its body, and the request. */
  async function send(path, options = {}, body = undefined, by = http.request) {
    const request = by(url + path, options);
    if (by === http.request) request.end(body);
    const [answer] = await once(request, 'response');
    return { status: answer.statusCode, body: Buffer.concat(await answer.toArray()).toString(), request };
  }
  const signed = { headers: { Authorization: scope('lambda') } };
  const DENIED = '{"__type":"AccessDenied","message":"injected by Faultlayer"}';

  test('of a test, with no mock at all', async (t) => {
    const denied = faults(t, every());
    await assert.rejects(put(), { name: 'AccessDenied', message: 'injected by Faultlayer' });
    assert.equal(denied.fired('aws_call'), 1);
    assert.equal(denied.records[0].operation, 'PutItem');
  });

  test('of a function that a plan is around, and of that alone', async () => {
    const inner = wrap(put);
    await withFaults(
      plan([every({ match: { event: { hit: [true] } } })]),
      async (running) => {
        await assert.rejects(inner({ hit: true }), { name: 'AccessDenied' });
        await inner({ hit: false });
        assert.deepEqual(running.injected, ['aws_call']);
      },
      { strict: false },
    );
    await put();
  });

  test('of concurrent functions, each its own', async () => {
    const inner = wrap(async (event) => {
      await new Promise((resolve) => setTimeout(resolve, event.wait));
      return put();
    });
    await withFaults(every({ match: { event: { hit: [true] } } }), async () => {
      const events = Array.from({ length: 20 }, (_, n) => ({ hit: n % 2 === 0, wait: (n * 7) % 11 }));
      const came = await Promise.allSettled(events.map((event) => inner(event)));
      assert.deepEqual(
        came.map(({ status }) => status),
        events.map(({ hit }) => (hit ? 'rejected' : 'fulfilled')),
      );
    });
  });

  test('of what no scope runs: not hit, and the scope says that it had no chance', async () => {
    let go;
    const outside = new Promise((resolve) => (go = resolve)).then(put);
    await assert.rejects(
      withFaults(every(), async () => {
        go();
        await outside;
      }),
      /other_context/,
    );
  });

  test('of a scope with targets: not its own', async () => {
    const target = { put };
    await withFaults(
      every(),
      async () => {
        await put();
        await assert.rejects(target.put(), { name: 'AccessDenied' });
      },
      { targets: [[target, 'put']] },
    );
  });

  test('in a chain of Middy', async () => {
    const use = faultlayer(every());
    const handler = middy().use(use).handler(put);
    await assert.rejects(handler({}, { getRemainingTimeInMillis: () => 3000 }), { name: 'AccessDenied' });
    use.scope.close();
  });

  test('under another plan from one call to the next', async () => {
    await withFaults(every(), async (running) => {
      await assert.rejects(put(), { name: 'AccessDenied' });
      running.replace(fault.aws_call({ service: ['s3'] }, 'SlowDown'));
      await put();
      running.replace(every());
      await assert.rejects(put(), { name: 'AccessDenied' });
    });
  });

  test("the second SDK's, by callbacks and by promises", async () => {
    const s3 = new S3({
      endpoint: url,
      region: 'eu-west-1',
      credentials: CREDENTIALS,
      s3ForcePathStyle: true,
      maxRetries: 0,
    });
    await withFaults(fault.aws_call({ service: ['s3'] }, 'NoSuchKey'), async () => {
      await assert.rejects(s3.getObject({ Bucket: 'b', Key: 'k' }).promise(), { code: 'NoSuchKey', statusCode: 404 });
      const error = await new Promise((resolve) => s3.headObject({ Bucket: 'b', Key: 'k' }, resolve));
      assert.equal(error.code, 'NotFound');
    });
  });

  describe("Node's own clients", () => {
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
        const options = { ...signed, port: server.address().port, path: '/2015-03-31/functions' };
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
        const options = { port: server.address().port, agent };
        await send('', {}, undefined, () => http.request({ ...options, ...signed }).end());
        await send('', {}, undefined, () => http.request({ ...options, headers: FORM, method: 'POST' }).end('Action=Other'));
      });
      assert.deepEqual(seen, ['http:', 'http:']);
    });

    test('one through a proxy, whose path is a whole URL, is known by what follows its host', async () => {
      const path = 'http://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/f/invocations';
      await withFaults(fault.aws_call({ operation: ['Invoke'] }, 'TooManyRequestsException'), async () => {
        const by = () => http.request({ ...signed, port: server.address().port, method: 'POST', path }).end();
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

    test('one that is held ends by its own timeout, and its connection with it', async () => {
      await withFaults(slow(60_000), async () => {
        const request = http.request(url, { ...signed, timeout: 30 });
        request.end();
        await once(request, 'timeout');
        request.destroy(new Error('gave up'));
        const [error] = await once(request, 'error');
        assert.equal(error.message, 'gave up');
      });
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

  describe('fetch and undici', () => {
    const call = (options) =>
      fetch(`${url}/2015-03-31/functions`, { headers: { authorization: scope('lambda') }, ...options });
    test('answered', async () => {
      await withFaults(every(), async () => {
        const answer = await call();
        assert.deepEqual([answer.status, await answer.text()], [403, DENIED]);
        assert.equal(answer.headers.get('x-amzn-errortype'), 'AccessDenied');
        const request = new Request(url, { headers: { authorization: scope('lambda') }, method: 'HEAD' });
        assert.deepEqual([(await fetch(request)).status, (await fetch(`${url}/plain`)).status], [403, 200]);
      });
      assert.equal((await call()).status, 200);
    });
    test('held and then let go, or given up meanwhile', async () => {
      await withFaults(slow(50), async () => {
        const started = performance.now();
        assert.equal(await (await call({ method: 'POST', body: 'the body' })).text(), '{}');
        assert.ok(performance.now() - started >= 50);
        assert.equal(asked.at(-1).body, 'the body');
        await assert.rejects(call({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' });
      });
    });
    test('a form', async () => {
      await withFaults(fault.aws_call({ operation: ['Publish'] }, 'Throttling'), async () => {
        const post = (body) => fetch(url, { method: 'POST', headers: FORM, body });
        assert.equal((await post('Action=Publish')).status, 400);
        assert.equal((await post('Action=ListTopics')).status, 200);
        assert.equal(asked.at(-1).body, 'Action=ListTopics');
      });
    });
  });

  describe('of every form: hit by its service alone, and most of the others not even asked for', () => {
    const lookup = (_, { all }, done) =>
      all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
    const at = (host) => ({ host, lookup, agent: false });
    const presigned = '/a/b?X-Amz-Credential=A%2F20261126%2Feu-west-1%2Fs3%2Faws4_request';
    const elsewhere = scope('s3').replace('Credential', 'SignedHeaders=host, Credential');
    /** By form: its options, and whether its signature alone tells the service. */
    const FORMS = {
      signed: [{ headers: { Authorization: scope('s3') } }, true],
      'with more headers': [
        { headers: { 'x-amz-date': 'x', authorization: scope('s3'), 'amz-sdk-request': 'attempt=1' } },
        true,
      ],
      'headers in turn': [{ headers: ['host', 'x', 'authorization', scope('s3')] }, true],
      presigned: [{ path: presigned }, false],
      'with the scope elsewhere in its signature': [{ headers: { authorization: elsewhere } }, false],
      'anonymous, by a path': [at('s3.eu-west-1.amazonaws.com'), false],
      'anonymous, by a virtual host': [at('orders.s3.eu-west-1.amazonaws.com'), false],
      'by the older signature': [
        { ...at('orders.s3.eu-west-1.amazonaws.com'), headers: { authorization: 'AWS AKIA:signature' } },
        false,
      ],
    };
    const { native } = require('../lib/native.cjs');
    const engine = native();
    const { met } = engine;
    let questions = 0;
    before(() => {
      engine.met = (...told) => {
        questions += 1;
        return met(...told);
      };
    });
    after(() => (engine.met = met));

    const plain = (options) =>
      send('', {}, undefined, () => http.get({ path: '/a/b', port: server.address().port, ...options }));
    const fetched = async ({ path = '/a/b', headers }) => {
      const pairs = Array.isArray(headers) ? [headers.slice(2)] : headers;
      return fetch(url + path, { headers: pairs });
    };
    const WAYS = { 'node:http': plain, fetch: fetched };
    test('to the service, by another operation than it names, which a header tells', async () => {
      const headers = { 'x-amz-target': 'DynamoDB_20120810.GetItem', authorization: scope('dynamodb') };
      const about = (operation) => fault.aws_call({ service: ['dynamodb'], operation: [operation] }, 'Throttling');
      for (const go of Object.values(WAYS)) {
        questions = 0;
        await withFaults(about('PutItem'), async () => assert.equal((await go({ path: '/', headers })).status, 200), {
          strict: false,
        });
        assert.equal(questions, 0);
        await withFaults(about('GetItem'), async () => assert.equal((await go({ path: '/', headers })).status, 400));
      }
    });

    for (const [name, [options, isTold]] of Object.entries(FORMS)) {
      for (const [way, go] of Object.entries(WAYS).filter(([way]) => way !== 'fetch' || !options.host)) {
        test(`${name}, by ${way}`, async () => {
          await withFaults(fault.aws_call({ service: ['sqs', 's3'] }, 'SlowDown'), async () => {
            assert.equal((await go(options)).status, 503);
          });
          for (const target of [{ service: ['sqs'] }, { service: ['s3'], operation: ['PutObject'] }]) {
            questions = 0;
            const before = asked.length;
            await withFaults(
              fault.aws_call(target, 'SlowDown'),
              async (running) => {
                assert.equal((await go(options)).status, 200);
                assert.deepEqual(running.records, []);
              },
              { strict: false },
            );
            assert.equal(asked.length, before + 1);
            assert.equal(questions, isTold && target.service[0] === 'sqs' ? 0 : 1);
          }
        });
      }
    }
  });

  test('a plan without such a fault installs nothing, and nothing is left of one with it', async () => {
    const { prototype } = http.Agent;
    const all = () => [prototype.addRequest, http.request, http.get, https.request, https.get, globalThis.fetch];
    const bare = all();
    await withFaults(fault.latency(1), () => assert.deepEqual(all(), bare), { strict: false });
    await withFaults(every(), () => assert.ok(all().every((each, index) => each !== bare[index])), { strict: false });
    assert.deepEqual(all(), bare);
    await withFaults(every(), () => (prototype.addRequest = bare[0]), { strict: false });
    assert.deepEqual(all(), bare);
  });
});

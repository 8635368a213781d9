// Calls to AWS in the library: whose they are, by which clients, and that nothing of the hook is left behind.

import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { fault, plan, withFaults, wrap } from '../index.mjs';
import { faults } from '../node-test.mjs';
import { DENIED, FORM, answering, every, scope, slow } from './support/calls.mjs';

const require = createRequire(import.meta.url);
const middy = (await import('@middy/core')).default;
const faultlayer = require('../middy.cjs');
const S3 = require('aws-sdk/clients/s3');

const CREDENTIALS = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };

describe('calls to AWS', () => {
  const server = answering();
  const { asked, send } = server;
  let url;
  let put;
  before(() => {
    ({ url } = server);
    const client = new DynamoDBClient({ endpoint: url, region: 'eu-west-1', credentials: CREDENTIALS, maxAttempts: 1 });
    put = () => client.send(new PutItemCommand({ TableName: 'orders', Item: { id: { S: '1' } } }));
  });

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

    const plain = (options) => send('', {}, undefined, () => http.get({ path: '/a/b', port: server.port, ...options }));
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

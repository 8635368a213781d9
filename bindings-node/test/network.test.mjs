// Faults in connections: each of Node's clients meets its own error, the event loop goes on, and only what is named is hit.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { fault as build, withFaults, wrap } from '../index.mjs';
import { PAIRS, dealer, within } from './support/client.mjs';
import { plan } from './support/plans.mjs';

const server = http.createServer((_, answer) => answer.end('ok'));
let port;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = server.address().port;
});
after(() => server.close() && server.closeAllConnections());

/** Answers that every name is this machine. */
const names = dgram.createSocket('udp4').on('message', (asked, { port: from }) => {
  const end = asked.indexOf(0, 12) + 5;
  const head = [asked.subarray(0, 2), Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])];
  const answer = Buffer.from([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  names.send(Buffer.concat([...head, asked.subarray(12, end), answer]), from, '127.0.0.1');
});
before(() => once(names.bind(0, '127.0.0.1'), 'listening'));
after(() => names.close());

const fault = (more) => ({
  id: 'it',
  kind: 'network',
  rate: 1,
  target: { host: ['localhost', '127.0.0.1'], port: [port] },
  ...more,
});
const HIT = { match: { event: { hit: [true] } } };

const CASES = [
  // What was open before is reset.
  ['refuse', { effect: 'refuse' }, { agent: /ECONNREFUSED|ECONNRESET/, fetch: /ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/ }],
  ['reset', { effect: 'reset' }, { agent: /ECONNRESET/, fetch: /ECONNRESET|SocketError|UND_ERR_SOCKET/ }],
  ['blackhole', { effect: 'blackhole' }, { agent: /client timeout/, fetch: /TimeoutError/ }],
  ['latency', { effect: 'latency', delay_ms: 300 }, { agent: /^ok$/, fetch: /^ok$/ }],
];

const deal = dealer();
for (const pair of PAIRS) {
  const test = deal(pair);
  const run = (faults, work) => within({ ...pair, code: 'network', handler: 'index.handler', plan: plan(...faults) }, work);

  describe(pair.name, { concurrency: 2 }, () => {
    for (const [name, effect, expected] of CASES) {
      test(`${name}: the client's own error, also on connections that were kept`, async () => {
        await run([fault({ ...effect, ...HIT })], async (one) => {
          for (const [way, pattern] of Object.entries(expected)) {
            const patience = (hit) => (hit && name === 'blackhole' ? 500 : 30_000);
            const event = (hit) => ({ way, port, hit, patience: patience(hit) });
            const ask = async (hit) => JSON.parse((await one.invoke(event(hit), { timeout: 60_000 })).text);
            assert.equal((await ask(false)).answer, 'ok');
            const met = await ask(true);
            assert.match(met.answer, pattern);
            if (name === 'latency') assert.ok(met.taken >= 300 && met.ticks >= 3, JSON.stringify(met));
            assert.equal((await ask(false)).answer, 'ok');
          }
          assert.deepEqual([...new Set(one.records().map((record) => record.action))], ['injected']);
        });
      });
    }

    test('names that are not found, and the real peer of a relayed connection', async () => {
      await run([fault({ effect: 'dns', target: { host: ['localhost'] }, ...HIT })], async (one) => {
        const ask = async (hit) => JSON.parse((await one.invoke({ way: 'socket', port, hit })).text).answer;
        assert.equal(await ask(false), `127.0.0.1:${port}`);
        assert.match(await ask(true), /ENOTFOUND/);
      });
    });

    test('a client that resolves by itself is hit by the name all the same', async () => {
      await run([fault({ effect: 'refuse', target: { host: ['localhost'], port: [port] }, ...HIT })], async (one) => {
        const event = { way: 'resolver', port, names: names.address().port };
        const ask = async (hit) => JSON.parse((await one.invoke({ ...event, hit })).text).answer;
        assert.equal(await ask(false), 'ok');
        // The name is resolved beside the function, which takes its time.
        let met;
        for (let tries = 0; tries < 100 && !/ECONNREFUSED/.test(met); tries++) met = await ask(true);
        assert.match(met, /ECONNREFUSED/);
      });
    });

    test('a host that nobody calls: nothing happens, and one record says so', async () => {
      await run([fault({ effect: 'refuse', target: { host: ['nobody.example'] } })], async (one) => {
        assert.equal(JSON.parse((await one.invoke({ way: 'agent', port, patience: 30_000 })).text).answer, 'ok');
        await one.close();
        assert.deepEqual(
          one.records().map((record) => record.reason),
          ['no_call'],
        );
      });
    });
  });
}

describe('in the library', { skip: process.platform !== 'linux' && 'connections are reached on Linux' }, () => {
  const refuse = (more) => build.network({ host: ['localhost', '127.0.0.1'], port: [port] }, 'refuse', more);
  const get = () =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: 'localhost', port, agent: false }, (answer) =>
        answer.on('data', (data) => resolve(String(data))),
      );
      request.on('error', reject);
    });

  test('a function is hit, and nothing else', async () => {
    const records = [];
    await assert.rejects(wrap(get, refuse(), { records })(), { code: 'ECONNREFUSED' });
    assert.equal(await get(), 'ok');
    assert.deepEqual(
      records.map(({ kind, action }) => [kind, action]),
      [['network', 'injected']],
    );
  });

  test('code in a scope is hit until the scope ends', async () => {
    const scope = await withFaults(refuse(), async (open) => {
      await assert.rejects(get(), { code: 'ECONNREFUSED' });
      return open;
    });
    assert.equal(await get(), 'ok');
    assert.deepEqual(scope.injected, ['network']);
  });

  test('calls beside each other in one thread hit nothing, and one record says so', async () => {
    const records = [];
    const both = wrap(get, refuse({ match: { event: { hit: [true] } } }), { records, strict: false });
    assert.deepEqual(await Promise.all([both({ hit: true }), both({ hit: false })]), ['ok', 'ok']);
    assert.deepEqual(records.map(({ reason }) => reason).sort(), ['no_call', 'unattributed_call']);
  });
});

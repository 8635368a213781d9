// Faults in connections, met by real clients of real servers: each has its own error, and the event loop goes on meanwhile.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FIXTURES, PAIRS, dealer, within } from './support/client.mjs';
import { plan } from './support/plans.mjs';
import { LACKS, postgres, redis, tls } from './support/servers.mjs';

/** The server of each client, and how long it waits for it. */
const SERVERS = { https: 'tls', fetch: 'tls', undici: 'tls', pg: 'postgres', ioredis: 'redis' };
const BYTES = 40_000;

/** By effect, what clients say; nothing where they say what they say without it. On a connection that was kept, or a new one. */
const CASES = [
  { id: 'latency', fault: { effect: 'latency', delay_ms: 200 }, takes: 200 },
  { id: 'bandwidth', fault: { effect: 'bandwidth', kib_per_s: 100 }, takes: 250 },
  { id: 'reset', fault: { effect: 'reset' }, says: /ECONNRESET|UND_ERR_SOCKET|terminated/ },
  { id: 'refuse', fault: { effect: 'refuse' }, fresh: true, says: /ECONNREFUSED/ },
  { id: 'blackhole', fault: { effect: 'blackhole' }, fresh: true, says: /timeout|timed out|ETIMEDOUT/i, takes: 250 },
  { id: 'dns', fault: { effect: 'dns' }, fresh: true, says: /ENOTFOUND/ },
  {
    id: 'no-dns',
    fault: { effect: 'dns', answer: 'timeout' },
    fresh: true,
    says: /EAI_AGAIN|timeout|ETIMEDOUT/i,
    takes: 250,
  },
];

describe('real clients', { concurrency: 2 }, () => {
  const servers = {};
  let code;
  before(async () => {
    code = mkdtempSync(path.join(tmpdir(), 'faultlayer-network-'));
    cpSync(path.join(FIXTURES, 'network'), code, { recursive: true });
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), path.join(code, 'node_modules'));
    for (const [kind, start] of Object.entries({ tls, postgres, redis })) if (!LACKS[kind]) servers[kind] = await start();
  });
  after(async () => {
    for (const server of Object.values(servers)) await server.close();
    rmSync(code, { recursive: true, force: true });
  });

  const deal = dealer();
  for (const pair of PAIRS) {
    const test = deal(pair, `${pair.name}: `);
    for (const [way, kind] of Object.entries(SERVERS)) {
      test(way, { skip: LACKS[kind] }, async () => {
        const { port, authority } = servers[kind];
        const faults = CASES.map(({ id, fault }) => ({
          id,
          kind: 'network',
          rate: 1,
          target: { host: ['localhost'], ...(fault.effect === 'dns' ? {} : { port: [port] }) },
          match: { event: { hit: [id] } },
          ...fault,
        }));
        const limits = { deadline_margin_ms: 2000 };
        const env = authority ? { NODE_EXTRA_CA_CERTS: authority } : {};
        const options = { ...pair, code, handler: 'clients.handler', plan: { ...plan(...faults), limits }, env };
        await within(options, async (one) => {
          const ask = async (event) => {
            const patience = event.hit === 'blackhole' ? 1000 : 30_000;
            // A name that nobody answers for is given up at the deadline, less the margin.
            const options = { timeout: event.hit === 'no-dns' ? 3000 : 60_000 };
            return JSON.parse((await one.invoke({ way, port, bytes: BYTES, patience, ...event }, options)).text);
          };
          for (const { id, fresh, says, takes = 0 } of CASES) {
            assert.equal((await ask({ fresh })).answer, BYTES, `healthy before ${id}`);
            const met = await ask({ hit: id, fresh });
            if (says) assert.match(String(met.answer), says, id);
            else assert.equal(met.answer, BYTES, id);
            assert.ok(met.taken >= takes, `${id}: ${JSON.stringify(met)}`);
            assert.ok(takes === 0 || met.ticks >= 3, `${id}: ${JSON.stringify(met)}`);
          }
          assert.equal((await ask({ fresh: true })).answer, BYTES, 'healthy again');
          await one.close();
          assert.deepEqual([...new Set(one.records().map((record) => `${record.fault} ${record.action}`))].sort(), [
            ...CASES.map(({ id }) => `${id} injected`).sort(),
          ]);
        });
      });
    }
  }
});

// Calls to AWS that the layer hits, by every form of the SDK, under the real clients: what the function sees is what it sees
// of a real server that says the same.

import assert from 'node:assert/strict';
import { symlinkSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { CREDENTIALS, LACKS_SERVER, SERVICES, moto, proxy } from './support/aws.mjs';
import { FIXTURES, PAIRS, dealer, within } from './support/client.mjs';
import { plan } from './support/plans.mjs';

const TIMEOUT_MS = 150;
const CASES = {
  always: (service) => ({ error: service.retried }),
  once: (service) => ({ error: service.retried, calls: { first: 1 } }),
  never: (service) => ({ error: service.final }),
  late: () => ({ delay_ms: 10 * TIMEOUT_MS }),
  slow: () => ({ delay_ms: 60 }),
};
const FAULTS = Object.keys(SERVICES).flatMap((service) =>
  Object.entries(CASES).map(([name, fault]) => ({
    id: `${service}-${name}`,
    kind: 'aws_call',
    rate: 1,
    target: { service: [service] },
    match: { event: { service: [service], case: [name] } },
    ...fault(SERVICES[service]),
  })),
);

/** How the function is built: its folder's file, and how esbuild makes it. */
const FORMS = {
  'v3, ES modules': { from: 'index.mjs' },
  'v3, bundled': { from: 'index.mjs', to: 'bundled.cjs', format: 'cjs' },
  'v3, minified': { from: 'index.mjs', to: 'minified.cjs', format: 'cjs', minify: true },
  'v3, minified ES module': { from: 'index.mjs', to: 'minified.mjs', format: 'esm', minify: true },
  v2: { from: 'v2.cjs' },
};
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

describe('calls to AWS under the layer', { skip: LACKS_SERVER, concurrency: 2 }, () => {
  let code;
  let server;
  before(async () => {
    code = mkdtempSync(path.join(tmpdir(), 'faultlayer-aws-'));
    cpSync(path.join(FIXTURES, 'aws'), code, { recursive: true });
    symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), path.join(code, 'node_modules'));
    for (const { from, to, format, minify } of Object.values(FORMS).filter((form) => form.to)) {
      await build({
        entryPoints: [path.join(code, from)],
        outfile: path.join(code, to),
        bundle: true,
        platform: 'node',
        target: 'node20',
        format,
        minify,
        logLevel: 'error',
        ...(format === 'esm' ? { banner: { js: REQUIRE } } : {}),
      });
    }
    server = await moto();
  });
  after(async () => {
    await server?.close();
    rmSync(code, { recursive: true, force: true });
  });

  /** What the function saw in each case, with the attempts that the server saw. */
  async function run(pair, form, faults) {
    const front = await proxy(server.port);
    const { to = form.from } = form;
    const env = { ...CREDENTIALS, AWS_ENDPOINT_URL: front.url, NODE_NO_WARNINGS: '1' };
    const options = { ...pair, code, handler: `${path.parse(to).name}.handler`, env, ...faults };
    const seen = {};
    try {
      await within(options, async (one) => {
        for (const { id, match, ...fault } of FAULTS) {
          const [service, name] = [match.event.service[0], match.event.case[0]];
          front.answerBy(faults.plan ? undefined : plan({ id, ...fault }));
          const timeout = name === 'late' ? TIMEOUT_MS : undefined;
          const event = { service, case: name, input: inputOf(service, front.url), timeout };
          const answer = JSON.parse((await one.invoke(event, { timeout: 20_000 })).text);
          seen[id] = { ...answer, attempts: front.attempts };
        }
        await one.close();
        seen.records = one.records();
      });
    } finally {
      await front.close();
    }
    return seen;
  }

  const inputOf = (service, url) => {
    const { input } = SERVICES[service];
    return service === 'sqs' ? { ...input, QueueUrl: `${url}/123456789012/orders` } : input;
  };

  // As many forms as there are pairs, and one more: each pair meets one of them, most of whose time the SDK takes to load.
  const deal = dealer([PAIRS]);
  for (const pair of PAIRS) {
    const test = deal(pair, `${pair.name}: `);
    for (const [name, form] of Object.entries(FORMS)) {
      test(name, async () => {
        const [hit, real] = await Promise.all([run(pair, form, { plan: plan(...FAULTS) }), run(pair, form, {})]);
        for (const { id } of FAULTS) {
          const [ours, theirs] = [hit[id], real[id]].map(({ ticks: _, ms: _ms, attempts: _attempts, ...same }) => same);
          assert.deepEqual(ours, theirs, id);
          const injected = hit.records.filter((record) => record.fault === id && record.action === 'injected');
          const answered = id.endsWith('slow') ? 0 : injected.length;
          assert.ok(injected.length > 0, id);
          assert.equal(hit[id].attempts, real[id].attempts - answered, id);
          if (id.endsWith('late')) assert.ok(hit[id].ticks > 5, `${hit[id].ticks} ticks in ${hit[id].ms} ms`);
          if (id.endsWith('slow')) assert.ok(hit[id].ms >= 60, id);
        }
      });
    }
  }
});

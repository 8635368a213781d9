// The library: a plan around any function, a plan for a while, strict errors, Middy.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, test } from 'node:test';
import middy from '@middy/core';
import * as esm from '../index.mjs';
import { faultlayer } from '../middy.mjs';
import { faults } from '../node-test.mjs';

const { Scope, PlanError, FaultlayerError, TargetError, FaultInjected, delay, fault, plan, steps, withFaults, wrap } = esm;
const BOOM = fault.error('ThrottlingException', 'slow down', { properties: { code: 'Throttled', retryable: true } });

describe('wrap', () => {
  test('a function that is not hit is the function', async () => {
    const scope = new Scope(fault.error('Error', 'no', { rate: 0 })).open();
    const made = scope.wrap(function named(one, two) {
      return [this, one, two, arguments.length];
    });
    assert.deepEqual(made.call('self', 1, 2), ['self', 1, 2, 2]);
    assert.equal(made.length, 2);
    assert.equal(made.name, 'named');
  });

  test("an error looks as the AWS SDK's own", async () => {
    const send = wrap(async () => 'sent', BOOM);
    await assert.rejects(send(), (error) => {
      assert.deepEqual(
        [error.name, error.message, error.code, error.retryable],
        ['ThrottlingException', 'slow down', 'Throttled', true],
      );
      assert.ok(error instanceof Error);
      assert.match(error.stack, /^ThrottlingException: slow down\n/);
      return true;
    });
  });

  test('an error of a global class is one', () => {
    for (const type of [TypeError, RangeError, URIError]) {
      assert.throws(
        wrap(() => 1, fault.error(type.name, 'wrong')),
        (error) => error.constructor === type && error.message === 'wrong',
      );
    }
    // Not an error, or not of one message: an Error of that name.
    for (const name of ['AggregateError', 'Map', 'parseInt', 'DOMException', 'Nowhere']) {
      assert.throws(
        wrap(() => 1, fault.error(name, 'wrong')),
        (error) => error.name === name && error.message === 'wrong',
      );
    }
  });

  test('properties cannot reach a prototype', () => {
    const plan = `{"version":1,"expires_at":"never","faults":[{"id":"x","kind":"error","rate":1,"type":"E","message":"m","properties":{"__proto__":{"polluted":1}}}]}`;
    assert.throws(
      wrap(() => 1, plan),
      (error) => error instanceof Error && error.polluted === undefined,
    );
    assert.equal({}.polluted, undefined);
  });

  test('a synchronous function stays one where no time passes', () => {
    assert.throws(
      wrap(() => 1, BOOM),
      { name: 'ThrottlingException' },
    );
    assert.deepEqual(wrap(() => 1, fault.payload({ n: 2 }))(), { n: 2 });
    assert.equal(wrap(() => 'hello world', fault.corrupt({ body: 'else' }))(), 'else');
    assert.notEqual(wrap(() => 'hello world', fault.corrupt())(), 'hello world');
    const late = wrap(
      () => {
        throw new RangeError('own');
      },
      fault.error('Late', 'late', { when: 'after' }),
    );
    assert.throws(late, { name: 'RangeError', message: 'own' });
  });

  test('a delay is never early and does not block', async () => {
    const slow = wrap((value) => value, fault.latency(25));
    for (let round = 0; round < 20; round += 1) {
      const before = process.hrtime.bigint();
      let ticks = 0;
      const ticking = setInterval(() => (ticks += 1), 1);
      assert.equal(await slow(round), round);
      clearInterval(ticking);
      assert.ok(process.hrtime.bigint() - before >= 25_000_000n);
      assert.ok(ticks > 0);
    }
  });

  test('a callback function is answered by its callback', async () => {
    const read = (path, options, callback) => setImmediate(() => callback(null, `read ${path}`));
    const call = (function_) =>
      new Promise((resolve, reject) => function_('file', {}, (error, value) => (error ? reject(error) : resolve(value))));
    assert.equal(await call(wrap(read, fault.latency(1))), 'read file');
    await assert.rejects(call(wrap(read, BOOM)), { name: 'ThrottlingException' });
    assert.equal(await call(wrap(read, fault.payload('other', { when: 'after' }))), 'other');
  });

  test('the request id and the deadline come from a Lambda context', async () => {
    const records = [];
    const handler = wrap(async () => 'ok', fault.timeout(), { records });
    const context = { awsRequestId: 'my-id', getRemainingTimeInMillis: () => -990 };
    await assert.rejects(
      handler({}, context),
      (error) => error instanceof FaultInjected && error.message.startsWith('Task timed out'),
    );
    assert.equal(records[0].requestId, 'my-id');
    assert.equal(records[0].action, 'injected');
  });

  test('calls without a context are told apart, the same under the same seed', () => {
    const run = () => {
      const records = [];
      const made = wrap(() => 0, plan(fault.payload(1, { rate: 0.5 }), { seed: 3 }), { records });
      return Array.from({ length: 50 }, () => made());
    };
    const first = run();
    assert.deepEqual(first, run());
    assert.ok(first.includes(0) && first.includes(1));
  });

  test('patterns read the event, never an inherited field', () => {
    const hit = (pattern, event) => wrap(() => 0, fault.payload(1, { match: { event: pattern } }))(event) === 1;
    assert.ok(hit({ detail: { state: ['ok'], n: [{ numeric: ['>', 2] }] } }, { detail: { state: 'ok', n: 3 } }));
    assert.ok(!hit({ detail: { state: ['ok'] } }, { detail: { state: 'no' } }));
    assert.ok(hit({ list: { a: [2] } }, { list: [{ a: 1 }, { a: 2 }] }));
    assert.ok(hit({ 'a.b': [true] }, { a: { b: true } }));
    assert.ok(hit({ none: [{ exists: false }], toString: [{ exists: false }] }, { x: 1 }));
    assert.ok(hit({ text: ['größe 日本 🦀'] }, { text: 'größe 日本 🦀' }));
    assert.ok(!hit({ x: [1] }, [1]) && !hit({ x: [1] }, null) && !hit({ x: [1] }, undefined) && !hit({ x: [1] }, 'x'));
    const trap = {
      get x() {
        throw new Error("a getter of the function's own");
      },
    };
    assert.throws(() => hit({ x: [1] }, trap), /a getter of the function's own|never/);
  });

  test('an event is looked at only where the request id does not tell that nothing hits it', () => {
    let reads = 0;
    const event = {
      get x() {
        reads += 1;
        return 1;
      },
    };
    const made = wrap(() => 0, plan(fault.payload(1, { rate: 0.5, match: { event: { x: [1] } } }), { seed: 3 }));
    // The first call in the plan's window is asked all of it.
    made(event);
    const told = Array.from({ length: 50 }, () => {
      const before = reads;
      return [made(event), reads > before];
    });
    assert.deepEqual(new Set(told.map(String)), new Set(['0,false', '1,true']));
  });

  test('what is no function is refused', () => {
    assert.throws(() => wrap('text', BOOM), TypeError);
  });
});

describe('withFaults', () => {
  const fetch = wrap(async (url) => `fetched ${url}`);

  test('an injection point is hit inside and not outside', async () => {
    assert.equal(await fetch('a'), 'fetched a');
    const seen = await withFaults(BOOM, async (scope) => {
      await assert.rejects(fetch('b'), { name: 'ThrottlingException' });
      assert.deepEqual(scope.injected, ['error']);
      return scope.records.length;
    });
    assert.equal(seen, 1);
    assert.equal(await fetch('c'), 'fetched c');
  });

  test('scopes nest, and tasks keep their own', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map((n) =>
        withFaults(fault.payload(n), async () => {
          await new Promise((resolve) => setTimeout(resolve, 4 - n));
          const inner = await withFaults(fault.payload(-n), () => fetch('x'));
          return [await fetch('x'), inner];
        }),
      ),
    );
    assert.deepEqual(answers, [
      [1, -1],
      [2, -2],
      [3, -3],
    ]);
  });

  test('targets are replaced and come back', async () => {
    class Client {
      send() {
        return 'sent';
      }
    }
    const client = new Client();
    const own = { send: () => 'own' };
    await withFaults(
      BOOM,
      async (scope) => {
        assert.throws(() => client.send(), { name: 'ThrottlingException' });
        assert.throws(() => own.send(), { name: 'ThrottlingException' });
        assert.equal(scope.fired(), 2);
      },
      {
        targets: [
          [client, 'send'],
          [own, 'send'],
        ],
      },
    );
    assert.equal(client.send(), 'sent');
    assert.equal(own.send(), 'own');
    assert.equal(Object.hasOwn(client, 'send'), false);
    assert.throws(
      () => withFaults(BOOM, () => 1, { targets: [[client, 'sent']] }),
      (error) => error instanceof TargetError && error.code === 'target_missing',
    );
  });

  test('a plan is replaced under running calls', async () => {
    await withFaults(fault.payload(1), async (scope) => {
      assert.equal(await fetch(), 1);
      scope.replace(fault.payload(2));
      assert.equal(await fetch(), 2);
      assert.throws(() => scope.replace('{}'), PlanError);
      assert.equal(await fetch(), 2);
      scope.replace(fault.payload(3, { match: { event: { kind: ['hit'] } } }));
      assert.equal(await fetch({ kind: 'hit' }), 3);
      assert.equal(await fetch({ kind: 'miss' }), 'fetched [object Object]');
    });
  });

  test('of 1000 plans under 16 callers each call meets one, and limits are exact', async () => {
    const LIMIT = 400;
    const numbered = (number) => {
      const held = (id, more) => fault.latency(number / 1000, { id, ...more });
      // One of them comes and goes, and comes in another place.
      const limited = number % 3 === 0 ? [] : [held('limited', { limit: LIMIT })];
      return plan([held('one'), ...limited, held('other')]);
    };
    await withFaults(
      numbered(1),
      async (scope) => {
        let over = false;
        const caller = async () => {
          for (let calls = 0; calls < 100 || !over; calls += 1) await fetch();
        };
        const callers = Array.from({ length: 16 }, caller);
        for (let number = 2; number <= 1000; number += 1) {
          scope.replace(numbered(number));
          if (number % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        over = true;
        await Promise.all(callers);
        const met = new Map();
        for (const record of scope.records) met.set(record.requestId, [...(met.get(record.requestId) ?? []), record]);
        assert.ok(met.size >= 1600);
        for (const hits of met.values()) {
          const ids = hits.map((hit) => hit.fault).join();
          assert.ok(ids === 'one,other' || ids === 'one,limited,other', ids);
          assert.equal(new Set(hits.map((hit) => hit.delay_ms)).size, 1);
        }
        assert.equal(scope.records.filter((record) => record.fault === 'limited').length, LIMIT);
      },
      { strict: false },
    );
  });

  test('one test says "with this fault" in one line', async (t) => {
    const scope = faults(t, fault.payload('faulty'));
    assert.equal(await fetch('d'), 'faulty');
    assert.equal(scope.fired('response'), 1);
  });
  test('and the next one has none', async () => {
    assert.equal(await fetch('e'), 'fetched e');
  });

  test('skipped faults say why', async () => {
    await withFaults([fault.exit(1, { when: 'during', after_bytes: 1 }), fault.payload(1)], async (scope) => {
      assert.equal(await fetch(), 1);
      assert.deepEqual(scope.skipped, { exit: 'handler_not_run' });
    });
  });
});

describe('strict', () => {
  test('a plan that does not hold is refused with code, path and all problems', () => {
    assert.throws(
      () => wrap(() => 1, { version: 1, expires_at: 'never', faults: [{ id: 'x', kind: 'latency', rate: 25, delay: 3 }] }),
      (error) => {
        assert.ok(error instanceof PlanError && error instanceof FaultlayerError && error instanceof Error);
        assert.equal(error.code, 'plan_invalid');
        assert.match(error.path, /^faults\[0\]\./);
        assert.ok(error.problems.length >= 2);
        assert.ok(error.problems.every((problem) => problem.code && problem.path && problem.expected));
        assert.equal(error.message.split('\n').length, error.problems.length);
        return true;
      },
    );
  });
  test('a plan must say when it ends', () => {
    assert.throws(
      () => wrap(() => 1, '{"version":1,"faults":[]}'),
      (error) => error instanceof PlanError && error.code.startsWith('plan_'),
    );
  });
  test('what is no plan is refused', () => {
    for (const wrong of [1, null, true, Symbol('x'), 'not json', { version: 1n }]) {
      assert.throws(() => new Scope(wrong), PlanError);
    }
  });
  test('builders say what the engine reads', () => {
    const made = plan(
      [
        fault.latency(delay.uniform(1, 2)),
        fault.latency(delay.normal(5, 1, 9)),
        fault.latency(delay.pareto(1, 2, 9)),
        fault.latency(delay.percentiles({ 50: 1, 100: 2 })),
        fault.response({ status: 503 }),
        fault.exit(2),
        fault.timeout(),
        fault.corrupt(),
        fault.disk(1),
        fault.memory(1),
        fault.cpu(5, { threads: 1 }),
        fault.error('E', undefined, { rate: steps([0, 0.1], [9, 0.2]) }),
      ],
      { starts_at: '2026-11-23T12:00:00Z', seed: 1, experiment: 'all' },
    );
    assert.deepEqual(made.faults.map((one) => one.id).slice(0, 3), ['latency', 'latency-2', 'latency-3']);
    new Scope(made);
  });
  test('require and import give the same classes', () => {
    assert.equal(createRequire(import.meta.url)('../index.cjs').PlanError, PlanError);
    assert.deepEqual(
      Object.keys(esm)
        .filter((name) => name !== 'default')
        .sort(),
      Object.keys(esm.default).sort(),
    );
  });
});

describe('middy', () => {
  const context = { awsRequestId: 'id', getRemainingTimeInMillis: () => 3000 };
  const handler = (use) => {
    const middleware = faultlayer(use);
    const seen = [];
    const chain = middy(async () => ({ statusCode: 200, body: 'hello from behind' }))
      .use({
        after: (request) => void seen.push(request.response),
        onError: (request) => void seen.push(request.error.name),
      })
      .use(middleware);
    return { call: () => chain({ a: 1 }, context), scope: middleware.scope, seen };
  };

  test('error, response, latency, corrupt and after', async () => {
    await assert.rejects(handler(BOOM).call(), { name: 'ThrottlingException' });
    assert.deepEqual(await handler(fault.response({ status: 503, body: 'no' })).call(), {
      statusCode: 503,
      headers: {},
      body: 'no',
    });
    const before = process.hrtime.bigint();
    assert.equal((await handler(fault.latency(20)).call()).statusCode, 200);
    assert.ok(process.hrtime.bigint() - before >= 20_000_000n);
    const corrupted = await handler(fault.corrupt()).call();
    assert.equal(corrupted.statusCode, 200);
    assert.notEqual(corrupted.body, 'hello from behind');
    const late = handler(fault.error('Late', 'late', { when: 'after' }));
    await assert.rejects(late.call(), { name: 'Late' });
    assert.deepEqual(late.scope.injected, ['error']);
  });

  test('an error of the handler stands', async () => {
    const { scope, ...middleware } = faultlayer(fault.error('Late', 'late', { when: 'after' }));
    const chain = middy(async () => {
      throw new RangeError('own');
    }).use(middleware);
    await assert.rejects(chain({}, context), { name: 'RangeError' });
    assert.deepEqual(scope.skipped, { error: 'handler_failed' });
  });
});

describe('concurrency', () => {
  test('limits are exact and no fault lands on another call', async () => {
    const scope = new Scope(fault.payload('hit', { limit: 10, when: 'after' })).open();
    const call = scope.wrap(async (n) => {
      await new Promise((resolve) => setTimeout(resolve, n % 5));
      return n;
    });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => call(n)));
    assert.equal(answers.filter((answer) => answer === 'hit').length, 10);
    answers.forEach((answer, n) => assert.ok(answer === n || answer === 'hit'));
  });
});

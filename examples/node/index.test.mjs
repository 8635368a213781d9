// The sample function under faults, in a test of its owner's: `npm install faultlayer`, then `node --test`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fault, plan, withFaults, wrap } from "faultlayer";
import { faults } from "faultlayer/node-test";
import { handler } from "./index.mjs";

test("a caller sees the error", async () => {
  const throttled = wrap(
    handler,
    fault.error("ThrottlingException", "slow down", {
      properties: { retryable: true },
    }),
  );
  await assert.rejects(throttled({}), {
    name: "ThrottlingException",
    retryable: true,
  });
});

test("one call in four is busy, and the same ones each time", async () => {
  const run = async () => {
    const busy = wrap(
      handler,
      plan(fault.response({ status: 503 }, { rate: 0.25 }), { seed: 7 }),
    );
    return Promise.all(
      Array.from({ length: 40 }, async () => (await busy({})).statusCode),
    );
  };
  const seen = await run();
  assert.deepEqual(await run(), seen);
  assert.ok(seen.includes(503) && seen.includes(200));
});

test("a slow answer is still the answer", async () => {
  await withFaults(fault.latency(20, { when: "after" }), async (scope) => {
    assert.equal((await scope.wrap(handler)({})).statusCode, 200);
    assert.equal(scope.fired("latency"), 1);
  });
});

test("with this fault, in one line", async (t) => {
  const scope = faults(t, fault.payload({ statusCode: 429 }));
  assert.equal((await scope.wrap(handler)({})).statusCode, 429);
});

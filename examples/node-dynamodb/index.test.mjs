// The function's retries, in a test of its owner's: `npm install faultlayer`, then `node --test` with a DynamoDB that has the
// table `orders` (moto, DynamoDB Local) under `AWS_ENDPOINT_URL`. No mock stands for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fault } from "faultlayer";
import { faults } from "faultlayer/node-test";
import { handler } from "./index.mjs";

const throttle = (options) =>
  fault.aws_call(
    { service: ["dynamodb"], operation: ["PutItem"] },
    "ProvisionedThroughputExceededException",
    options,
  );
const call = () => handler({}, { awsRequestId: crypto.randomUUID() });

test("one throttle is survived", async (t) => {
  const scope = faults(t, throttle({ calls: { first: 1 } }));
  assert.equal((await call()).statusCode, 201);
  assert.equal(scope.fired(), 1);
});

test("under a throttle that lasts, the caller is told to come again", async (t) => {
  const scope = faults(t, throttle());
  assert.deepEqual(await call(), {
    statusCode: 503,
    body: "ProvisionedThroughputExceededException",
  });
  assert.equal(scope.fired(), 3);
});

test("a slow DynamoDB only takes longer", async (t) => {
  faults(
    t,
    fault.aws_call({ service: ["dynamodb"] }, undefined, { delay_ms: 50 }),
  );
  const started = performance.now();
  assert.equal((await call()).statusCode, 201);
  assert.ok(performance.now() - started >= 50);
});

'use strict';
// Owns the function that stands in front of a handler: what it carries over from the original, and the short way when
// nothing is drawn (no promise, no copy). Does not own what happens when something is drawn: act.cjs and stream.cjs.

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const { apply, ownKeys, getPrototypeOf } = Reflect;

/** Whether the client treats this handler as one that streams its response. */
const streams = (handler) => handler[STREAMING] === 'response';

/**
 * The deadline in epoch milliseconds. The client only tells the time left, so it is asked again until the clock reads the
 * same before and after, or has been asked `most` times.
 */
function deadline(context, most) {
  if (typeof context?.getRemainingTimeInMillis !== 'function') return NaN;
  for (let tries = 1; ; tries += 1) {
    const before = Date.now();
    const left = context.getRemainingTimeInMillis();
    if (Date.now() === before || tries >= most) return before + left;
  }
}

/**
 * A function that asks `gate` before each call of `original`. `gate.host()` is the native host, or undefined where
 * nothing can fire; it may change between calls. `requestId(context)` names the invocation.
 */
function wrap(original, gate) {
  const streaming = streams(original);
  const run = (...call) => require(streaming ? './stream.cjs' : './act.cjs').drive(...call);

  function wrapper(event, second, third) {
    const host = gate.host();
    if (host === undefined) return apply(original, this, arguments);
    const context = streaming ? third : second;
    let session;
    try {
      session = decide(host, gate, event, context, streaming);
    } catch (error) {
      gate.trouble(error);
    }
    if (session === undefined || session === null) return apply(original, this, arguments);
    return run(session, gate, original, this, arguments);
  }
  return dress(wrapper, original);
}

/** A native host with what the hot path asks of it, read once. Read it again after its plan was replaced. */
function read(engine, number) {
  const reads = engine.reads(number);
  return {
    engine,
    number,
    decide: engine.decide,
    decideStreaming: engine.decideStreaming,
    arn: undefined,
    deadlineTries: engine.deadlineTries(),
    readsNothing: reads === 0,
    readsClientContext: (reads & 2) !== 0,
    gather: reads === 0 ? undefined : require('./gather.cjs').gatherer(engine.paths(number)),
  };
}

function decide(host, gate, event, context, streaming) {
  const arn = context?.invokedFunctionArn;
  if (arn !== host.arn) {
    host.arn = arn;
    host.engine.arn(host.number, typeof arn === 'string' ? arn : undefined);
  }
  const id = gate.requestId(context);
  const due = deadline(context, host.deadlineTries);
  if (host.readsNothing) return streaming ? host.decideStreaming(host.number, id, due) : host.decide(host.number, id, due);
  const custom = host.readsClientContext ? context?.clientContext : undefined;
  const text = custom === undefined || custom === null ? undefined : JSON.stringify(custom);
  const leaves = host.gather(event);
  return Array.isArray(leaves)
    ? host.engine.decideGathered(host.number, id, due, streaming, leaves, text)
    : host.engine.decideReading(host.number, id, due, streaming, event, text, NaN);
}

/** Gives `wrapper` all that a client looks at: length, name, own symbols and properties, and the kind of function. */
function dress(wrapper, original) {
  for (const key of ownKeys(original)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue;
    Object.defineProperty(wrapper, key, Object.getOwnPropertyDescriptor(original, key));
  }
  // The constructor's name tells an async function; taking over the prototype shows it without adding a promise.
  Object.setPrototypeOf(wrapper, getPrototypeOf(original));
  return wrapper;
}

module.exports = { wrap, read, decide };

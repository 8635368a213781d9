'use strict';
// Owns the function that stands in front of a handler: what it carries over from the original, and the short way when
// nothing is drawn (no promise, no copy). It calls the original itself, so that the function's own errors show one frame of
// ours. Does not own what happens when something is drawn: act.cjs and stream.cjs.

const { RUN, begin } = require('./act.cjs');
const { apply, construct, defineProperty, getOwnPropertyDescriptor } = require('./builtins.cjs');
const { getPrototypeOf, ownKeys, setPrototypeOf, stringify } = require('./builtins.cjs');

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** What the engine is told before the leaves of an event: id, deadline, client context. */
const OTHERS = 3;

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
 * nothing can fire; it may change between calls. `requestId(context)` names the invocation; `trouble(error)` is told what
 * fails on our side, and throws where that is to be strict.
 */
function wrap(original, gate) {
  const streaming = streams(original);
  const start = streaming ? require('./stream.cjs').beginStream : begin;

  function wrapper(event, second, third) {
    const host = gate.host();
    let run;
    let session;
    let shield;
    if (host !== undefined) {
      try {
        session = decide(host, gate, event, streaming ? third : second, streaming);
        if (session !== undefined && session !== null) run = start(session, gate, original, arguments, wrapper);
        else shield = gate.shield?.();
      } catch (error) {
        session?.close();
        gate.trouble(error);
      }
    }
    const target = new.target === wrapper ? original : new.target;
    if (run === undefined) {
      try {
        return target === undefined ? apply(original, this, arguments) : construct(original, arguments, target);
      } finally {
        if (shield !== undefined) shield();
      }
    }
    if (run.effect !== RUN) return run.instead(original, this, target);
    let value;
    run.enter();
    try {
      value = target === undefined ? apply(original, this, run.args) : construct(original, run.args, target);
    } catch (error) {
      return run.threw(error);
    } finally {
      run.leave();
    }
    return run.gave(value);
  }
  return dress(wrapper, original);
}

/**
 * A native host with what the hot path asks of it, read once. Read it again after its plan was replaced. Where another plan can
 * come at any time (`isLive`), all that any plan needs is there from the first reading on.
 */
function read(engine, number, isLive = false) {
  const reads = engine.reads(number);
  const events = (reads & 3) === 0 && !isLive ? undefined : require('./gather.cjs');
  return {
    engine,
    number,
    decide: engine.asker(number, false),
    decideStreaming: engine.asker(number, true),
    // Where a plan has patterns: most invocations need not be looked at for them.
    isQuiet: (reads & 3) !== 0 && engine.idTells(number) ? engine.quietAsker(number) : undefined,
    arn: undefined,
    deadlineTries: engine.deadlineTries(),
    readsNothing: (reads & 3) === 0,
    readsClientContext: (reads & 2) !== 0,
    readsArn: (reads & 8) !== 0,
    // Else nothing looks at it unless something is drawn, and asking takes longer than all the rest.
    readsDeadline: (reads & 4) !== 0,
    hitsCalls: engine.hitsAwsCalls(number),
    hitsConnections: engine.hitsConnections(number),
    gather: events?.gatherer(engine.paths(number), OTHERS),
    decideGathered: events && engine.gatheredAsker(number, false),
    decideGatheredStreaming: events && engine.gatheredAsker(number, true),
    runs: events?.runs(),
  };
}

/** What is drawn for one invocation, if anything is. `gate.renew()` reads a host anew whose plan has become another. */
function decide(host, gate, event, context, streaming) {
  let session = ask(host, gate, event, context, streaming);
  while (session === true) {
    host = gate.renew();
    session = ask(host, gate, event, context, streaming);
  }
  if (session !== undefined && session !== null && !host.readsDeadline) {
    session.due(deadline(context, host.deadlineTries));
  }
  return session;
}

function ask(host, gate, event, context, streaming) {
  const id = gate.requestId(context);
  if (host.isQuiet !== undefined && host.isQuiet(id) === true) return undefined;
  if (host.readsArn) tellArn(host, context?.invokedFunctionArn);
  if (host.readsNothing && !host.readsDeadline) return streaming ? host.decideStreaming(id) : host.decide(id);
  const due = host.readsDeadline ? deadline(context, host.deadlineTries) : NaN;
  if (host.readsNothing) return streaming ? host.decideStreaming(id, due) : host.decide(id, due);
  const custom = host.readsClientContext ? context?.clientContext : undefined;
  const text = custom === undefined || custom === null ? undefined : stringify(custom);
  const given = host.gather(event);
  if (Array.isArray(given)) {
    given[0] = id;
    given[1] = due;
    given[2] = text;
    return apply(streaming ? host.decideGatheredStreaming : host.decideGathered, undefined, given);
  }
  return host.engine.decideReading(host.number, id, due, streaming, event, text, NaN, host.runs.take, host.runs.room);
}

/** It seldom changes, so it does not cross with each call. */
function tellArn(host, arn) {
  if (arn === host.arn) return;
  host.arn = arn;
  host.engine.arn(host.number, typeof arn === 'string' ? arn : undefined);
}

/** Gives `wrapper` all that a client looks at: length, name, own symbols and properties, and the kind of function. */
function dress(wrapper, original) {
  for (const key of ownKeys(original)) {
    if (key === 'arguments' || key === 'caller') continue;
    const property = getOwnPropertyDescriptor(original, key);
    // A function's own cannot be made another kind of property; with it, the wrapper's instances are the original's.
    defineProperty(wrapper, key, key === 'prototype' ? { value: property.value } : property);
  }
  // The constructor's name tells an async function; taking over the prototype shows it without adding a promise.
  setPrototypeOf(wrapper, getPrototypeOf(original));
  return wrapper;
}

/**
 * Puts what `make` makes of `owner`'s function of that name in its place; gives what takes it off again, unless somebody else
 * has put theirs there meanwhile.
 */
function replace(owner, name, make) {
  const theirs = owner[name];
  const ours = dress(make(theirs), theirs);
  const put = (value) => defineProperty(owner, name, { value, writable: true, enumerable: true, configurable: true });
  put(ours);
  return () => {
    if (owner[name] === ours) put(theirs);
  };
}

module.exports = { wrap, read, decide, replace };

'use strict';
// Owns carrying out what was drawn for one invocation of a handler that answers at once: the phases before, instead of and
// after it, in the promise form and in the callback form of the older clients. Decides nothing: every step comes from Rust.

const { hold, setImmediate } = require('./hold.cjs');
const { FaultInjected, build } = require('./errors.cjs');

const EXIT_LISTENER = Symbol.for('aws.lambda.beforeExit');
const RUN = Symbol('run');
const Async = (async () => {}).constructor;

/**
 * Holds a step's delay and does its outcome: gives `RUN` to go on, or the answer that stands instead; throws what a fault
 * throws. A promise only where there is something to wait for. `put` places a corrupted text where it came from.
 */
function carryOut(text, gate, put) {
  gate.settle?.();
  const step = JSON.parse(text);
  return step.delay_us > 0 ? hold(step.delay_us).then(() => outcome(step, gate, put)) : outcome(step, gate, put);
}

function outcome(step, gate, put) {
  switch (step.outcome) {
    case 'error':
      throw build(step);
    case 'response':
      return { answer: step.answer, http: step.http };
    case 'exit':
      return gate.exit(step.code);
    case 'timeout':
      return hold(step.hold_us).then(() => {
        throw new FaultInjected(step.message);
      });
    case 'corrupt':
      return { answer: put(step.text) };
    default:
      return RUN;
  }
}

/** The text that `corrupt` mangles: a string answer, or the string `body` of an object. */
function textOf(answer) {
  if (typeof answer === 'string') return answer;
  return typeof answer?.body === 'string' ? answer.body : undefined;
}

function withText(answer, text) {
  if (typeof answer === 'string') return text;
  const copy = Object.assign(Object.create(Object.getPrototypeOf(answer)), answer);
  Object.defineProperty(copy, 'body', { value: text, writable: true, enumerable: true, configurable: true });
  return copy;
}

const isThenable = (value) => typeof value?.then === 'function';
const chain = (value, next) => (isThenable(value) ? value.then(next) : next(value));

/** Calls `work`, then `good` or `bad` with what came of it: at once, unless there is something to wait for. */
function settle(work, good, bad) {
  let value;
  try {
    value = work();
  } catch (error) {
    return bad(error);
  }
  return isThenable(value) ? Promise.resolve(value).then(good, bad) : good(value);
}

/** All phases around one call. `call` runs the original; where neither it nor a fault takes time, nor does this. */
function around(session, gate, call) {
  const end = () => {
    session.close();
    gate.settle?.();
  };
  const failed = (error) =>
    chain(carryOut(session.failed(), gate), () => {
      throw error;
    });
  const returned = (answer) => {
    const step = session.returned(session.wantsText() ? textOf(answer) : undefined);
    const other = carryOut(step, gate, (text) => withText(answer, text));
    return chain(other, (instead) => (instead === RUN ? answer : instead.answer));
  };
  const phases = () =>
    chain(carryOut(session.before(), gate), (instead) =>
      instead === RUN ? settle(call, returned, failed) : instead.answer,
    );
  return settle(
    phases,
    (answer) => {
      end();
      return answer;
    },
    (error) => {
      end();
      throw error;
    },
  );
}

/** Does what was drawn, then hands the answer on the way that the client waits for it. */
function drive(session, gate, original, self, args) {
  const [, context, callback] = args;
  const calledBack = typeof context?.succeed === 'function' || (original.length >= 3 && !(original instanceof Async));
  if (typeof callback === 'function' && calledBack) return driveCallback(session, gate, original, self, args);
  if (original instanceof Async) return (async () => around(session, gate, () => Reflect.apply(original, self, args)))();
  return around(session, gate, () => Reflect.apply(original, self, args));
}

/**
 * The clients up to Node 22: a handler may answer by its promise, by the callback or by `context.succeed/fail/done`, and
 * a handler that does none of it ends when the event loop is empty. Each way stays itself: what was used to answer hands
 * on the answer. Returns nothing, as a callback handler does.
 */
function driveCallback(session, gate, original, self, args) {
  const [event, context, callback, ...rest] = args;
  const own = { succeed: context?.succeed, fail: context?.fail, done: context?.done };
  // A test that calls the handler itself may have no more than the callback.
  let deliver = { answer: own.succeed ?? ((value) => callback(null, value)), error: own.fail ?? callback };
  let unwatch;
  const call = () =>
    new Promise((resolve, reject) => {
      const through = (answer, error) => (problem, value) => {
        deliver = { answer, error };
        if (problem === undefined || problem === null) resolve(value);
        else reject(problem);
      };
      const onCallback = through((value) => callback(null, value), callback);
      const done = through(deliver.answer, deliver.error);
      const succeed = (value) => done(null, value);
      const fail = (problem) => done(problem ?? 'handled');
      if (own.succeed) Object.assign(context, { succeed, fail, done });
      unwatch = onEmptyLoop(() => onCallback(null, null));
      try {
        const result = Reflect.apply(original, self, [event, context, onCallback, ...rest]);
        if (isThenable(result)) result.then(succeed, fail).catch(fail);
      } catch (error) {
        onCallback(error);
      }
    });
  const hand = (way) => (value) => {
    unwatch?.();
    if (own.succeed) Object.assign(context, own);
    deliver[way](value);
  };
  (async () => around(session, gate, call))()
    .then(hand('answer'), hand('error'))
    // An answer that is no JSON: the client throws where it is handed over, and takes the throw for the handler's.
    .catch((error) => deliver.error(error));
}

/**
 * A handler that never answers ends with the answer null once the event loop is empty. The client's own listener would
 * say so past the faults that are still open, so it is set aside and the answer null goes through them first. Gives what
 * takes the watch off.
 */
function onEmptyLoop(answer) {
  const before = () => {
    globalThis[EXIT_LISTENER] = () => {};
    setImmediate(answer);
  };
  process.prependOnceListener('beforeExit', before);
  return () => process.removeListener('beforeExit', before);
}

module.exports = { drive, carryOut, textOf, withText, RUN };

'use strict';
// Owns carrying out what was drawn for one invocation of a handler that answers at once: the phases before, instead of and
// after it, in the promise form and in the callback form of the older clients. Decides nothing: every step comes from Rust.

const { hold } = require('./hold.cjs');
const { FaultInjected, build } = require('./errors.cjs');

const EXIT_LISTENER = Symbol.for('aws.lambda.beforeExit');
const RUN = Symbol('run');

/**
 * Holds a step's delay and does its outcome: gives `RUN` to go on, or the answer that stands instead; throws what a
 * fault throws. `put` places a corrupted text where it came from.
 */
async function carryOut(step, gate, put) {
  if (step.delay_us > 0) await hold(step.delay_us);
  switch (step.outcome) {
    case 'error':
      throw build(step);
    case 'response':
      return step.answer;
    case 'exit':
      return gate.exit(step.code);
    case 'timeout':
      await hold(step.hold_us);
      throw new FaultInjected(step.message);
    case 'corrupt':
      return put(step.text);
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

/** All phases around one call. `call` runs the original and gives its answer. */
async function around(session, gate, call) {
  try {
    const instead = await carryOut(JSON.parse(session.before()), gate);
    if (instead !== RUN) return instead;
    let answer;
    try {
      answer = await call();
    } catch (error) {
      await carryOut(JSON.parse(session.failed()), gate);
      throw error;
    }
    const step = JSON.parse(session.returned(session.wantsText() ? textOf(answer) : undefined));
    const other = await carryOut(step, gate, (text) => withText(answer, text));
    return other === RUN ? answer : other;
  } finally {
    session.close();
    gate.settle?.();
  }
}

/** Does what was drawn, then hands the answer on the way that the client waits for it. */
function drive(session, gate, original, self, args) {
  const [, context, callback] = args;
  if (typeof callback === 'function' && typeof context?.succeed === 'function') {
    return driveCallback(session, gate, original, self, args);
  }
  return around(session, gate, () => Reflect.apply(original, self, args));
}

/**
 * The clients up to Node 22: a handler may answer by its promise, by the callback or by `context.succeed/fail/done`, and
 * a handler that does none of it ends when the event loop is empty. Each way stays itself: what was used to answer hands
 * on the answer. Returns nothing, as a callback handler does.
 */
function driveCallback(session, gate, original, self, args) {
  const [event, context, callback] = args;
  const { succeed, fail, done } = context;
  let deliver = { answer: succeed, error: fail };
  const call = () =>
    new Promise((resolve, reject) => {
      const through = (answer, error) => (problem, value) => {
        deliver = { answer, error };
        if (problem === undefined || problem === null) resolve(value);
        else reject(problem);
      };
      const finish = through(succeed, fail);
      context.succeed = (value) => finish(null, value);
      context.fail = (problem) => finish(problem ?? 'handled');
      context.done = finish;
      const onCallback = through((value) => callback(null, value), callback);
      emptyLoop(onCallback, session);
      let result;
      try {
        result = Reflect.apply(original, self, [event, context, onCallback, ...args.slice(3)]);
      } catch (error) {
        return onCallback(error);
      }
      if (typeof result?.then === 'function') result.then(context.succeed, context.fail);
      return undefined;
    });
  around(session, gate, call).then(
    (answer) => restore() ?? deliver.answer(answer),
    (error) => restore() ?? deliver.error(error),
  );
  function restore() {
    Object.assign(context, { succeed, fail, done });
  }
  return undefined;
}

/**
 * A handler that never answers ends with the answer null once the event loop is empty. The client's own listener would
 * say so past the faults that are still open, so it is set aside and the answer null goes through them first.
 */
function emptyLoop(answer, session) {
  const before = () => {
    if (session.closed()) return;
    globalThis[EXIT_LISTENER] = () => {};
    answer(null, null);
  };
  process.prependOnceListener('beforeExit', before);
}

module.exports = { drive, around, carryOut, RUN, textOf };

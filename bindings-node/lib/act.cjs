'use strict';
// Owns carrying out what was drawn for one invocation of a handler that answers at once: the phases before, instead of and
// after it, in the promise form and in the callback form of the older clients. Decides nothing: every step comes from Rust.
// The wrapper calls the handler (wrap.cjs), so that of ours no more than that one call stands on its stack.
//
// An error of ours never becomes the function's: what fails here counts as a step that says `run`, and the gate is told.

const { Async, NativePromise, apply, assign, captureStackTrace, construct, create } = require('./builtins.cjs');
const { defineProperty, getPrototypeOf, isThenable, parse, then } = require('./builtins.cjs');
const { FaultInjected, build, show } = require('./errors.cjs');
const { hold, setImmediate } = require('./hold.cjs');

const EXIT_LISTENER = Symbol.for('aws.lambda.beforeExit');

/** What a step comes to: to go on; or `{ answer, http }`, or `{ error }`, that stands instead; or `{ wait }` for one of these. */
const RUN = Object.freeze({});

/** Does a step: holds its delay, then its outcome. `put` places a corrupted text where it came from. */
function perform(step, run, put) {
  return step.delay_us > 0 ? { wait: held(step, run, put) } : outcome(step, run, put);
}

async function held(step, run, put) {
  await hold(step.delay_us);
  return settled(run, outcome(step, run, put));
}

function outcome(step, run, put) {
  switch (step.outcome) {
    case 'error':
      return { error: build(step, run.place) };
    case 'response':
      return { answer: step.answer, http: step.http };
    case 'exit':
      return run.gate.exit(step.code) ?? RUN;
    case 'timeout':
      return { wait: timedOut(step, run) };
    case 'corrupt':
      return { answer: put(step.text) };
    default:
      return RUN;
  }
}

async function timedOut(step, run) {
  await hold(step.hold_us);
  return { error: show(new FaultInjected(step.message), run.place) };
}

/** Tells the gate what went wrong on our side. Where that is strict, its error stands. */
function troubled(gate, error) {
  try {
    gate.trouble(error);
    return RUN;
  } catch (strict) {
    return { error: strict };
  }
}

/** What an effect comes to once there is nothing left to wait for. */
async function settled(run, effect) {
  try {
    return effect.wait ? await effect.wait : effect;
  } catch (error) {
    return troubled(run.gate, error);
  }
}

/** The text that `corrupt` mangles: a string answer, or the string `body` of an object. */
function textOf(answer) {
  if (typeof answer === 'string') return answer;
  return typeof answer?.body === 'string' ? answer.body : undefined;
}

function withText(answer, text) {
  if (typeof answer === 'string') return text;
  const copy = assign(create(getPrototypeOf(answer)), answer);
  defineProperty(copy, 'body', { value: text, writable: true, enumerable: true, configurable: true });
  return copy;
}

/** One invocation that something was drawn for, and its phases. */
class Run {
  constructor(session, gate, wrapper) {
    this.session = session;
    this.gate = gate;
    // Where the handler is called: what a fault throws shows that, whenever it is thrown.
    this.place = {};
    captureStackTrace(this.place, wrapper);
    /** What came of the phase before the handler. */
    this.effect = this.phase(() => session.before());
  }

  /** The handler is about to be called: its calls to AWS are this invocation's. */
  enter() {
    const { owners } = this.gate;
    if (!owners) return;
    try {
      this.owner ??= owners.open(this.session, this.gate);
      this.outer = owners.enter(this.owner);
      this.entered = true;
    } catch (error) {
      this.gate.trouble(error);
    }
  }

  /** It was called; what it has started goes on. */
  leave() {
    if (!this.entered) return;
    this.entered = false;
    this.gate.owners.leave(this.outer);
  }

  /** Asks for a step and does it. */
  phase(ask, put) {
    try {
      const text = ask();
      this.gate.settle?.();
      return perform(parse(text), this, put);
    } catch (error) {
      return troubled(this.gate, error);
    }
  }

  /** What a step comes to, with all its waiting. */
  async effectOf(step) {
    try {
      return await settled(this, perform(step, this));
    } catch (error) {
      return troubled(this.gate, error);
    }
  }

  returned(answer) {
    return this.phase(
      () => this.session.returned(this.session.wantsText() ? textOf(answer) : undefined),
      (text) => withText(answer, text),
    );
  }

  failed() {
    return this.phase(() => this.session.failed());
  }

  /** The invocation is over. */
  end() {
    try {
      if (this.owner) this.gate.owners.close(this.owner);
      this.session.close();
      this.gate.settle?.();
    } catch (error) {
      const { error: strict } = troubled(this.gate, error);
      if (strict) throw strict;
    }
  }

  /** Ends with what an effect came to, where nothing is left to wait for; `otherwise` gives what stands if it says to go on. */
  finish(effect, otherwise) {
    this.end();
    if (effect === RUN) return otherwise();
    if ('error' in effect) throw effect.error;
    return effect.answer;
  }
}

/** A call that is answered by what it returns or throws. */
class Call extends Run {
  constructor(session, gate, original, args, wrapper) {
    super(session, gate, wrapper);
    this.args = args;
    this.async = original instanceof Async;
  }

  /** Where the handler need not be called yet, or at all. */
  instead(original, self, target) {
    if (this.effect.wait || this.async) return this.later(this.effect, undefined, original, self, target);
    return this.finish(this.effect);
  }

  gave(value) {
    if (isThenable(value)) return this.later(undefined, value);
    const effect = this.returned(value);
    return effect.wait ? this.last(effect, () => value) : this.finish(effect, () => value);
  }

  threw(error) {
    const rethrow = () => {
      throw error;
    };
    const effect = this.failed();
    return effect.wait ? this.last(effect, rethrow) : this.finish(effect, rethrow);
  }

  async last(effect, otherwise) {
    return this.finish(await settled(this, effect), otherwise);
  }

  /** Waits for what comes before the handler, if anything, then for the handler: of ours, its stack shows this alone. */
  async later(before, value, original, self, target) {
    if (before) {
      const effect = await settled(this, before);
      if (effect !== RUN) return this.finish(effect);
    }
    let answer;
    try {
      if (before) {
        this.enter();
        try {
          value = target === undefined ? apply(original, self, this.args) : construct(original, this.args, target);
        } finally {
          this.leave();
        }
      }
      answer = await value;
    } catch (error) {
      return this.last(this.failed(), () => {
        throw error;
      });
    }
    return this.last(this.returned(answer), () => answer);
  }
}

/**
 * The clients up to Node 22: a handler may answer by its promise, by the callback or by `context.succeed/fail/done`, and
 * a handler that does none of it ends when the event loop is empty. Each way stays itself: what was used to answer hands
 * on the answer. Returns nothing, as a callback handler does.
 */
class CallbackCall extends Run {
  constructor(session, gate, original, args, wrapper) {
    super(session, gate, wrapper);
    const [event, context, callback, ...rest] = args;
    const own = { succeed: context?.succeed, fail: context?.fail, done: context?.done };
    this.context = context;
    this.own = own;
    // A test that calls the handler itself may have no more than the callback.
    this.deliver = { answer: own.succeed ?? ((value) => callback(null, value)), error: own.fail ?? callback };
    this.done = this.way(this.deliver.answer, this.deliver.error);
    this.succeed = (value) => this.done(null, value);
    this.fail = (problem) => this.done(problem ?? 'handled');
    this.onCallback = this.way((value) => callback(null, value), callback);
    this.args = [event, context, this.onCallback, ...rest];
    if (this.effect === RUN) this.watch();
  }

  /** What answers by one of the ways: the first answer counts. */
  way(answer, error) {
    return (problem, value) => {
      if (this.answered) return;
      this.answered = true;
      this.deliver = { answer, error };
      const failed = problem !== undefined && problem !== null;
      this.hand(failed ? this.failed() : this.returned(value), failed, failed ? problem : value);
    };
  }

  /** Listens on every way. */
  watch() {
    const { done, succeed, fail } = this;
    if (this.own.succeed) assign(this.context, { succeed, fail, done });
    this.unwatch = onEmptyLoop(() => this.onCallback(null, null));
  }

  instead(original, self) {
    this.later(original, self);
  }

  async later(original, self) {
    const effect = await settled(this, this.effect);
    if (effect !== RUN) return this.hand(effect);
    let value;
    try {
      this.watch();
      this.enter();
      value = apply(original, self, this.args);
    } catch (error) {
      return this.threw(error);
    } finally {
      this.leave();
    }
    this.gave(value);
  }

  // Called `result` as in the client: it stands in the message for a thenable whose `then` gives nothing to catch.
  gave(result) {
    if (!isThenable(result)) return;
    try {
      if (result instanceof NativePromise) apply(then, result, [this.succeed, this.fail]);
      // As the client does it, with what comes of that.
      else result.then(this.succeed, this.fail).catch(this.fail);
    } catch (error) {
      this.threw(error);
    }
  }

  threw(error) {
    this.onCallback(error);
  }

  /** Hands an effect on, or the handler's own answer where that says to go on. */
  async hand(effect, failed, value) {
    const last = await settled(this, effect);
    this.unwatch?.();
    if (this.own.succeed) assign(this.context, this.own);
    try {
      this.end();
      if ('error' in last) this.deliver.error(last.error);
      else if (last === RUN && failed) this.deliver.error(value);
      else this.deliver.answer(last === RUN ? value : last.answer);
    } catch (error) {
      // An answer that is no JSON: the client throws where it is handed over, and takes the throw for the handler's.
      this.deliver.error(error);
    }
  }
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

/** Begins what was drawn for one call, and hands out what drives it. */
function begin(session, gate, original, args, wrapper) {
  const [, context, callback] = args;
  const calledBack = typeof context?.succeed === 'function' || (original.length >= 3 && !(original instanceof Async));
  const Form = typeof callback === 'function' && calledBack ? CallbackCall : Call;
  return new Form(session, gate, original, args, wrapper);
}

module.exports = { Run, RUN, begin, settled, troubled, textOf, withText };

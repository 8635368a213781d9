'use strict';
// Owns faults on a streamed response: before its first byte, in its middle and at its end. What is written passes through
// untouched, argument for argument, until a step says otherwise, so that a dry run changes no byte, border or header.
// Decides nothing: every step comes from Rust.

const { isUtf8 } = require('node:buffer');
const { RUN, Run, settled, troubled } = require('./act.cjs');
const { apply, deferred, isThenable, parse, stringify } = require('./builtins.cjs');
const { clearTimeout, setTimeout } = require('./hold.cjs');

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

/** A call of a streaming handler. */
class StreamCall extends Run {
  constructor(session, gate, args, wrapper) {
    super(session, gate, wrapper);
    this.args = args;
    this.stream = args[1];
    if (this.effect === RUN) this.tap();
  }

  /** Without it, the handler writes as if nothing were here. */
  tap() {
    try {
      this.open = new Tap(this.stream, this, parse(this.session.borders()));
    } catch (error) {
      this.effect = troubled(this.gate, error);
    }
  }

  gave(value) {
    // What is no promise the client refuses itself.
    return isThenable(value) ? this.later(value) : this.finish(this.failed(), () => value);
  }

  threw(error) {
    return this.last(this.failed(), () => {
      throw error;
    });
  }

  async last(effect, otherwise) {
    return this.finish(await settled(this, effect), otherwise);
  }

  finish(effect, otherwise) {
    this.open?.release();
    return super.finish(effect, otherwise);
  }

  async instead(original, self) {
    const effect = await settled(this, this.effect);
    if (effect !== RUN) {
      if (!('error' in effect)) writeAnswer(this.stream, effect);
      return this.finish(effect, () => {});
    }
    this.tap();
    if (this.effect.error) return this.finish(this.effect);
    let running;
    this.enter();
    try {
      running = apply(original, self, this.args);
    } catch (error) {
      return this.threw(error);
    } finally {
      this.leave();
    }
    if (!isThenable(running)) return this.threw(new Error('Streaming does not support non-async handlers.'));
    return this.later(running);
  }

  /**
   * Waits for the handler and, as the client does, for the end of its stream, which may come later; or for the fault that
   * ends the stream before either. A handler that fails has still written what waits here: that goes out first.
   */
  async later(running) {
    const { open } = this;
    if (!open) return this.plain(running);
    open.watch(running);
    let result;
    try {
      result = await open.first.promise;
    } catch (error) {
      await open.idle();
      if (open.failure) return this.finish(open.failure);
      return this.last(open.asked ? RUN : this.failed(), () => {
        throw error;
      });
    }
    await open.over.promise;
    await open.idle();
    if (open.failure) return this.finish(open.failure);
    return this.last(open.asked ? RUN : this.phase(() => this.session.returned()), () => result);
  }

  async plain(running) {
    let result;
    try {
      result = await running;
    } catch (error) {
      return this.last(this.failed(), () => {
        throw error;
      });
    }
    return this.last(
      this.phase(() => this.session.returned()),
      () => result,
    );
  }
}

/** Writes a fault's own answer: an HTTP prelude and its body, or the payload as it stands, and ends the stream. */
function writeAnswer(stream, { answer, http }) {
  let body = answer;
  if (http) {
    const { body: text, ...prelude } = answer;
    stream.setContentType(PRELUDE_TYPE);
    stream.write(stringify(prelude));
    stream.write(new Uint8Array(8));
    body = text;
  }
  const text = asText(body);
  if (text !== '') stream.write(text);
  stream.end();
}

/** An answer as bytes of a stream: a string as it stands, anything else as JSON. */
const asText = (body) => (typeof body === 'string' ? body : stringify(body ?? null));

/** A step that changes nothing: it says to go on, at once. */
const isQuiet = (step) => step.outcome === 'run' && !(step.delay_us > 0);

/**
 * Stands in front of a stream's `write` and `end`. What comes while a fault is carried out waits in order; what comes after
 * a cut is swallowed. The end is held back until the phase after the handler is over.
 */
class Tap {
  constructor(stream, run, borders) {
    this.stream = stream;
    this.run = run;
    this.inner = { write: stream.write, end: stream.end };
    // By the bytes before them, those that come first first.
    this.bytes = [];
    this.timers = [];
    this.delivered = 0;
    this.queue = [];
    // Whether the handler was told to wait for `drain`; whether the phase after the handler has been asked for.
    this.refused = false;
    this.asked = false;
    // Whether all passes through, or nothing does.
    this.through = false;
    this.cut = false;
    // The handler is done, or a fault has ended its stream; and: the stream has ended.
    this.first = deferred();
    this.over = deferred();
    for (const border of borders) {
      if (typeof border.after_bytes === 'number') this.insert(border);
      else this.timers[this.timers.length] = setTimeout(() => this.reachedInTime(border), border.after_ms);
    }
    stream.write = (...args) => this.take({ end: false, args });
    stream.end = (...args) => this.take({ end: true, args });
    // A stream that the handler destroys never ends.
    stream.once('close', this.over.resolve);
  }

  insert(border) {
    let at = this.bytes.length;
    for (; at > 0 && this.bytes[at - 1].after_bytes > border.after_bytes; at -= 1) this.bytes[at] = this.bytes[at - 1];
    this.bytes[at] = border;
  }

  async watch(running) {
    try {
      this.first.resolve(await running);
    } catch (error) {
      this.first.reject(error);
    }
  }

  take(op) {
    if (this.through) return this.hand(op);
    if (this.cut) {
      callbackOf(op)?.();
      return true;
    }
    if (!this.acting && this.queue.length === 0) return this.pass(op);
    this.queue.push(op);
    this.refused = true;
    return false;
  }

  /** Hands one operation on as it came, unless a fault waits at its beginning, in its middle or at its end. */
  pass(op) {
    let instead;
    try {
      instead = this.look(op);
    } catch (error) {
      const { error: strict } = troubled(this.run.gate, error);
      if (strict) instead = () => this.fail({ error: strict });
    }
    if (!instead) return this.hand(op);
    this.refused = true;
    instead();
    return false;
  }

  hand(op) {
    if (!op.end) return apply(this.inner.write, this.stream, op.args);
    this.clearTimers();
    this.through = !this.cut;
    const taken = apply(this.inner.end, this.stream, op.args);
    this.over.resolve();
    return taken;
  }

  /** What is to be done instead of handing the operation on, if anything. */
  look(op) {
    const { session } = this.run;
    const bytes = this.bytes.length > 0 || session.wantsText() ? bytesOf(op) : undefined;
    if (bytes?.length > 0 && session.wantsText() && isUtf8(bytes)) {
      const step = this.step(session.chunk(bytes.toString('utf8')));
      if (step.outcome === 'response') return () => this.replaceRest(step.answer, callbackOf(op));
      if (step.outcome === 'corrupt') {
        op.args[0] = Buffer.from(step.text);
        return this.look(op);
      }
    }
    const reach = this.delivered + (bytes?.length ?? 0);
    while (this.bytes.length > 0 && reach >= this.bytes[0].after_bytes) {
      const border = this.bytes.shift();
      const step = this.step(session.reached(border.index));
      if (!isQuiet(step)) return () => this.split(op, bytes, Math.max(0, border.after_bytes - this.delivered), step);
    }
    this.delivered = reach;
    return op.end && !this.asked ? this.lookAtEnd(op) : undefined;
  }

  /** All was written: whatever comes after the handler comes before the end. */
  lookAtEnd(op) {
    this.asked = true;
    this.clearTimers();
    const step = this.step(this.run.session.returned());
    if (isQuiet(step)) return undefined;
    const bytes = bytesOf(op);
    return () => this.split(op, bytes, bytes?.length ?? 0, step);
  }

  /** Delivers the first of an operation's bytes and acts there; the rest of it comes first then. */
  split(op, bytes, fits, step) {
    const callback = callbackOf(op);
    if (fits === 0) {
      this.queue.unshift(op);
      return this.act(step);
    }
    const rest = bytes.subarray(fits);
    const whole = !op.end && rest.length === 0;
    const left = callback === undefined ? [] : [callback];
    if (!whole) this.queue.unshift({ end: op.end, args: rest.length > 0 ? [rest, ...left] : left });
    // `end` with a chunk writes no HTTP prelude, so its half does not either.
    if (op.end) this.stream._onBeforeFirstWrite = undefined;
    return this.act(step, this.deliver(bytes.subarray(0, fits), whole ? callback : undefined));
  }

  /** Writes and says when the bytes have left, so that a crash at the border does not take them along. */
  deliver(bytes, callback) {
    const left = deferred();
    this.delivered += bytes.length;
    this.hand({
      end: false,
      args: [
        bytes,
        (error) => {
          left.resolve();
          callback?.(error);
        },
      ],
    });
    return left.promise;
  }

  /** A fault's own bytes stand instead of all that is still to come; the stream ends cleanly. */
  replaceRest(body, callback) {
    this.close();
    const text = asText(body);
    if (text !== '') this.hand({ end: false, args: [text] });
    this.pass({ end: true, args: callback === undefined ? [] : [callback] });
    this.first.resolve();
  }

  async reachedInTime(border) {
    await this.idle();
    if (this.cut || this.asked) return;
    const { session, gate } = this.run;
    try {
      const step = this.step(session.reached(border.index));
      if (!isQuiet(step)) this.act(step);
    } catch (error) {
      const { error: strict } = troubled(gate, error);
      if (strict) this.fail({ error: strict });
    }
  }

  step(text) {
    this.run.gate.settle?.();
    return parse(text);
  }

  act(step, left) {
    this.acting = this.carry(step, left);
  }

  /** Carries out a fault; then goes on with what waited, or ends the stream. */
  async carry(step, left) {
    // What was delivered is out before the fault: a crash must not take it along.
    await left;
    const effect = await this.run.effectOf(step);
    this.acting = undefined;
    if (effect !== RUN && 'error' in effect) return this.fail(effect);
    try {
      if (effect === RUN) this.drain();
      else this.replaceRest(effect.http ? effect.answer.body : effect.answer);
    } catch (error) {
      // What the stream would have thrown at the handler, had it not waited here.
      this.fail({ error });
    }
  }

  drain() {
    while (!this.acting && this.queue.length > 0) this.pass(this.queue.shift());
    if (this.acting || this.through || !this.refused) return;
    this.refused = false;
    if (!this.stream.writableNeedDrain) this.stream.emit('drain');
  }

  /** Resolves once nothing waits here. */
  async idle() {
    while (this.acting) await this.acting;
  }

  /** The handler's answer is what a fault says, whatever it still does. */
  fail(effect) {
    this.close();
    this.failure = effect;
    this.first.resolve();
    this.over.resolve();
  }

  /** The invocation is over; a stream that was cut stays so. */
  release() {
    this.clearTimers();
    this.through ||= !this.cut;
  }

  clearTimers() {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Swallows whatever still comes, unless the stream has ended by itself. */
  close() {
    this.clearTimers();
    this.cut = !this.through;
    for (const op of this.queue.splice(0)) callbackOf(op)?.();
  }
}

function callbackOf({ args }) {
  for (const arg of args) if (typeof arg === 'function') return arg;
  return undefined;
}

/** The bytes of an operation's chunk, if it has one that a stream takes. */
function bytesOf({ end, args: [chunk, encoding] }) {
  if (typeof chunk === 'string') return Buffer.from(chunk, typeof encoding === 'string' ? encoding : undefined);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  // The client writes anything else as JSON, but ends with nothing else.
  if (end || chunk === undefined || chunk === null || typeof chunk === 'function') return undefined;
  return Buffer.from(stringify(chunk));
}

/** Begins what was drawn for one call of a streaming handler. */
const beginStream = (session, gate, original, args, wrapper) => new StreamCall(session, gate, args, wrapper);

module.exports = { beginStream };

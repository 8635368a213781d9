'use strict';
// Owns faults on a streamed response: before its first byte, in its middle and after it. A stream on which nothing is open
// is handed on untouched, so that neither chunk borders nor trailers change. Decides nothing: every step comes from Rust.

const { isUtf8 } = require('node:buffer');
const { carryOut, RUN } = require('./act.cjs');
const { setTimeout, clearTimeout } = require('./hold.cjs');

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

/** Does what was drawn for one invocation of a streaming handler. */
async function drive(session, gate, original, self, args) {
  const stream = args[1];
  let tap;
  try {
    const instead = await carryOut(session.before(), gate);
    if (instead !== RUN) return void writeAnswer(stream, instead);
    const borders = JSON.parse(session.borders());
    if (borders.length > 0 || session.wantsText()) tap = new Tap(stream, session, gate, borders);
    let result;
    try {
      const running = Reflect.apply(original, self, args);
      if (typeof running?.then !== 'function') throw new Error('Streaming does not support non-async handlers.');
      result = await (tap ? tap.during(running) : running);
    } catch (error) {
      await carryOut(session.failed(), gate);
      throw error;
    }
    await carryOut(session.returned(undefined), gate);
    return result;
  } finally {
    tap?.close();
    session.close();
    gate.settle?.();
  }
}

/** Writes a fault's own answer: an HTTP prelude and its body, or the payload as it stands, and ends the stream. */
function writeAnswer(stream, { answer, http }) {
  let body = answer;
  if (http) {
    const { body: text, ...prelude } = answer;
    stream.setContentType(PRELUDE_TYPE);
    stream.write(JSON.stringify(prelude));
    stream.write(new Uint8Array(8));
    body = text;
  }
  const text = asText(body);
  if (text !== '') stream.write(text);
  stream.end();
}

/** An answer as bytes of a stream: a string as it stands, anything else as JSON. */
const asText = (body) => (typeof body === 'string' ? body : JSON.stringify(body ?? null));

/**
 * Stands in front of a stream's `write` and `end` while `during` faults or a corrupt are open. What comes while a fault is
 * carried out waits in order; what comes after a cut is swallowed.
 */
class Tap {
  constructor(stream, session, gate, borders) {
    this.stream = stream;
    this.session = session;
    this.gate = gate;
    this.inner = { write: stream.write, end: stream.end };
    this.bytes = borders.filter((b) => typeof b.after_bytes === 'number').sort((a, b) => a.after_bytes - b.after_bytes);
    this.delivered = 0;
    this.queue = [];
    this.acting = undefined;
    this.cut = false;
    this.ended = false;
    this.refused = false;
    this.stopped = new Promise((resolve, reject) => (this.stop = { resolve, reject }));
    this.stopped.catch(() => {});
    this.over = new Promise((resolve) => (this.finish = resolve));
    // A stream that the handler destroys ends too.
    stream.once?.('close', () => this.finish());
    this.timers = borders
      .filter((b) => typeof b.after_ms === 'number')
      .map((b) => setTimeout(() => this.reachedInTime(b), b.after_ms));
    stream.write = (chunk, encoding, callback) => this.take({ chunk, encoding, callback });
    stream.end = (chunk, encoding, callback) => {
      if (typeof chunk === 'function') return this.take({ end: true, callback: chunk });
      if (typeof encoding === 'function') return this.take({ end: true, chunk, callback: encoding });
      return this.take({ end: true, chunk, encoding, callback });
    };
  }

  /**
   * Waits for the handler and, as the client does, for the end of its stream, which may come later; or for the fault that
   * ends the stream before either.
   */
  async during(running) {
    running.then(undefined, () => {});
    const result = await Promise.race([running, this.stopped]);
    await Promise.race([this.over, this.stopped]);
    return result;
  }

  take(op) {
    if (typeof op.encoding === 'function') op = { ...op, callback: op.encoding, encoding: undefined };
    if (this.ended) return this.hand(op);
    if (this.cut) {
      op.callback?.();
      return true;
    }
    if (this.acting || this.queue.length > 0) {
      this.queue.push(op);
      this.refused = true;
      return false;
    }
    return this.pass(op);
  }

  /** Delivers one operation up to the next border, and acts there. */
  pass(op) {
    let bytes = op.chunk === undefined || op.chunk === null ? undefined : toBytes(op.chunk, op.encoding);
    if (bytes?.length > 0 && this.session.wantsText() && isUtf8(bytes)) {
      const step = JSON.parse(this.session.chunk(bytes.toString('utf8')));
      this.gate.settle?.();
      if (step.outcome === 'response') return this.replaceRest(step.answer, op.callback);
      if (step.outcome === 'corrupt') {
        bytes = Buffer.from(step.text);
        op = { ...op, chunk: bytes, encoding: undefined };
      }
    }
    const border = this.bytes[0];
    if (border && (bytes ? this.delivered + bytes.length >= border.after_bytes : this.delivered >= border.after_bytes)) {
      this.bytes.shift();
      const fits = Math.max(0, border.after_bytes - this.delivered);
      const rest = { ...op, chunk: bytes && bytes.length > fits ? bytes.subarray(fits) : undefined, encoding: undefined };
      if (rest.chunk || rest.end || rest.callback) this.queue.unshift(rest);
      const written = bytes && fits > 0 ? this.deliver(bytes.subarray(0, fits)) : undefined;
      this.act(border, written);
      this.refused = true;
      return false;
    }
    if (!op.end && op.chunk === undefined) {
      op.callback?.();
      return true;
    }
    this.delivered += bytes?.length ?? 0;
    if (op.end) {
      this.ended = true;
      this.clearTimers();
    }
    const taken = this.hand(op);
    if (op.end) this.finish();
    return taken;
  }

  /** Hands one operation to the stream itself, with the arguments it came with. */
  hand({ end, chunk, encoding, callback }) {
    if (!end) return this.inner.write.call(this.stream, chunk, encoding, callback);
    if (chunk === undefined || chunk === null) return this.inner.end.call(this.stream, callback);
    return this.inner.end.call(this.stream, chunk, encoding, callback);
  }

  /** Writes and says when the bytes have left, so that a crash at the border does not take them along. */
  deliver(bytes) {
    this.delivered += bytes.length;
    return new Promise((resolve) => this.inner.write.call(this.stream, bytes, resolve));
  }

  /** A fault's own bytes stand instead of all that is still to come; the stream ends cleanly. */
  replaceRest(body, callback) {
    this.close();
    const text = asText(body);
    if (text !== '') this.inner.write.call(this.stream, text);
    this.inner.end.call(this.stream, callback);
    this.stop.resolve(undefined);
    return true;
  }

  reachedInTime(border) {
    if (this.cut || this.ended) return;
    if (this.acting) this.acting.then(() => this.reachedInTime(border));
    else this.act(border, undefined);
  }

  /** Carries out a border's fault; then goes on with what waited, or ends the stream. */
  act(border, written) {
    this.acting = this.carry(border, written).then(
      () => {
        this.acting = undefined;
        this.drain();
      },
      (error) => {
        this.close();
        this.acting = undefined;
        this.stop.reject(error);
      },
    );
  }

  async carry(border, written) {
    // What was delivered is out before the fault: a crash must not take it along.
    await written;
    const instead = await carryOut(this.session.reached(border.index), this.gate);
    if (instead === RUN) return;
    this.replaceRest(instead.http ? instead.answer.body : instead.answer);
  }

  drain() {
    while (!this.cut && !this.acting && this.queue.length > 0) this.pass(this.queue.shift());
    if (this.acting || this.cut || !this.refused || this.ended) return;
    this.refused = false;
    if (!this.stream.writableNeedDrain) this.stream.emit('drain');
  }

  clearTimers() {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** Swallows whatever still comes, unless the stream has ended by itself. */
  close() {
    this.clearTimers();
    if (this.ended || this.cut) return;
    this.cut = true;
    for (const op of this.queue.splice(0)) op.callback?.();
  }
}

function toBytes(chunk, encoding) {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Buffer.from(JSON.stringify(chunk));
}

module.exports = { drive, writeAnswer };

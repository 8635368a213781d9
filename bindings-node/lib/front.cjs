'use strict';
// Owns what stands where a request's connection does: it answers with ready bytes, or holds the request and then goes on over
// the connection that its agent gives. To Node's own client it is a socket that is connected, so that timeouts, parsing and
// all that a request tells its owner stay Node's.

const { STATUS_CODES } = require('node:http');
const { Socket } = require('node:net');
const { Duplex } = require('node:stream');
const { later } = require('./hold.cjs');

const { setTimeout: setIdleTimeout, _unrefTimer: showActivity } = Socket.prototype;

class Front extends Duplex {
  connecting = false;
  /** As in a socket, for its own timer. */
  _parent = null;
  /** What was written before there is a connection. */
  #kept = [];
  #real;
  #answered = false;

  setTimeout(ms, callback) {
    return setIdleTimeout.call(this, ms, callback);
  }

  _onTimeout() {
    if (!this.destroyed) this.emit('timeout');
  }

  setKeepAlive() {
    return this;
  }

  setNoDelay() {
    return this;
  }

  ref() {
    return this;
  }

  unref() {
    return this;
  }

  /** Says `bytes`, and no more. */
  answer(bytes) {
    if (this.destroyed) return;
    this.#answered = true;
    showActivity.call(this);
    this.once('free', () => this.destroy());
    this.push(bytes);
    if (this.writableFinished) this.push(null);
  }

  /** Goes on over `real`, which its agent gets back once the answer is there. */
  join(real, request) {
    if (this.destroyed) return real.destroy();
    this.#real = real;
    real._httpMessage = request;
    const listeners = {
      data: (chunk) => {
        showActivity.call(this);
        if (!this.push(chunk)) real.pause();
      },
      end: () => this.push(null),
      error: (error) => this.destroy(error),
      close: () => this.destroy(),
    };
    for (const name in listeners) real.on(name, listeners[name]);
    this.once('free', () => {
      for (const name in listeners) real.removeListener(name, listeners[name]);
      this.#real = undefined;
      real.emit('free');
      this.destroy();
    });
    for (const chunk of this.#kept.splice(0)) real.write(chunk);
    if (this.writableFinished) real.end();
    else real.resume();
  }

  _write(chunk, _encoding, done) {
    showActivity.call(this);
    if (this.#real) return this.#real.write(chunk, done);
    this.#kept.push(chunk);
    done();
  }

  _final(done) {
    this.#real?.end();
    if (this.#answered) this.push(null);
    done();
  }

  _read() {
    this.#real?.resume();
  }

  _destroy(error, done) {
    this.#real?.destroy();
    done(error);
  }
}

/** The bytes of an answer, with a header of the connection's own where there is one. */
function bytesOf({ status, headers, body }, own = '') {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}`;
  for (let index = 0; index < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return Buffer.concat([Buffer.from(`${head}\r\n`), body]);
}

/** Carries out on `request`, which asks for its connection, what it met; `go` has its agent give one. */
function carryOut(request, { delayUs, answer }, go) {
  const front = new Front();
  // As Node has it: an agent's counts where the request has none.
  const idleMs = request.timeout ?? request.agent?.options?.timeout;
  if (idleMs) front.setTimeout(idleMs);
  request.onSocket(front);
  const forget = later(delayUs, () => {
    if (front.destroyed) return;
    if (!answer) {
      request.onSocket = (socket, error) => {
        delete request.onSocket;
        if (error) front.destroy(error);
        else front.join(socket, request);
      };
      return go();
    }
    const say = () => front.answer(bytesOf(answer));
    // A server has read the request before it answers, unless it was asked whether it wants to.
    if (request.writableFinished || /^expect:/im.test(request._header ?? '')) say();
    else request.once('finish', say);
  });
  front.once('close', forget);
}

module.exports = { Front, bytesOf, carryOut };

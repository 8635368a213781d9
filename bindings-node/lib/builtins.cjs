'use strict';
// Owns the built-ins as they were when this was loaded: a function that replaces one later replaces it for itself alone.

const { parse, stringify } = JSON;
const { apply, construct, getPrototypeOf, ownKeys } = Reflect;
const { assign, create, defineProperty, entries, getOwnPropertyDescriptor, setPrototypeOf } = Object;
const { captureStackTrace } = Error;
const NativePromise = Promise;
const { then } = Promise.prototype;

/** What tells an `async` function from others. */
const Async = (async () => {}).constructor;

/** A promise with what settles it; nobody need look at its rejection. */
function deferred() {
  const made = {};
  made.promise = new NativePromise((resolve, reject) => {
    made.resolve = resolve;
    made.reject = reject;
  });
  apply(then, made.promise, [undefined, () => {}]);
  return made;
}

const isThenable = (value) => typeof value?.then === 'function';

module.exports = {
  Async,
  NativePromise,
  apply,
  assign,
  captureStackTrace,
  construct,
  create,
  deferred,
  defineProperty,
  entries,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  isThenable,
  ownKeys,
  parse,
  setPrototypeOf,
  stringify,
  then,
};

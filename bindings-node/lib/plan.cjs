'use strict';
// Owns how plans are written in JavaScript: typed builders, and every form that is taken for a plan. Spelling only: what a
// plan may say, and every default of it, is the engine's.

const { PlanError } = require('./problems.cjs');

const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const make = (kind, fields) => Object.freeze({ kind, ...given(fields) });

/** One fault of a plan, by kind. `options`: id, rate, match, limit, sample_by; when, after_bytes, after_ms where there is a when. */
const fault = Object.freeze({
  latency: (delay_ms, options = {}) => make('latency', { delay_ms, ...options }),
  error: (type, message, options = {}) => make('error', { type, message, ...options }),
  response: (answer = {}, options = {}) => make('response', { ...answer, ...options }),
  payload: (payload, options = {}) => make('response', { payload, ...options }),
  exit: (code, options = {}) => make('exit', { code, ...options }),
  timeout: (options = {}) => make('timeout', options),
  corrupt: (options = {}) => make('corrupt', options),
  disk: (size_mib, options = {}) => make('disk', { size_mib, ...options }),
  memory: (size_mib, options = {}) => make('memory', { size_mib, ...options }),
  cpu: (duration_ms, options = {}) => make('cpu', { duration_ms, ...options }),
});

/** Delays by distribution, in milliseconds. */
const delay = Object.freeze({
  uniform: (min, max) => ({ uniform: { min, max } }),
  normal: (mean, std_dev, max) => ({ normal: { mean, std_dev, max } }),
  pareto: (scale, shape, max) => ({ pareto: { scale, shape, max } }),
  percentiles: (points) => ({ percentiles: points }),
});

/** A rate that changes at seconds after `starts_at`: `steps([0, 0.01], [300, 0.1])`. */
const steps = (...points) => ({ steps: points.map(([at_s, rate]) => ({ at_s, rate })) });

/** A whole plan: a fault or faults, and the plan's own fields. It never expires unless told so. */
function plan(faults, options = {}) {
  const list = Array.isArray(faults) ? faults : [faults];
  return { version: 1, expires_at: 'never', ...given(options), faults: named(list) };
}

/** Faults with the id and the rate that a builder need not say: its kind, numbered from the second on, and always. */
function named(faults) {
  const taken = new Set(faults.map((one) => one?.id).filter((id) => typeof id === 'string'));
  return faults.map((one) => {
    if (typeof one !== 'object' || one === null) return one;
    let id = one.id;
    for (let number = 1; id === undefined; number += 1) {
      const name = number === 1 ? String(one.kind) : `${one.kind}-${number}`;
      if (!taken.has(name)) id = name;
    }
    taken.add(id);
    return { id, rate: 1, ...one };
  });
}

/** The JSON text of whatever is taken for a plan: an object, JSON text, a fault or a list of faults. */
function toJson(given) {
  if (typeof given === 'string') return given;
  if (Array.isArray(given)) return text(plan(given));
  if (typeof given === 'object' && given !== null)
    return text('kind' in given && !('faults' in given) ? plan(given) : given);
  throw new PlanError(`plan: expected an object, JSON text, a fault or a list of faults, got \`${String(given)}\``);
}

function text(fields) {
  try {
    return JSON.stringify(fields);
  } catch (error) {
    throw new PlanError(`plan: expected what JSON can say (${error.message})`);
  }
}

module.exports = { fault, delay, steps, plan, toJson };

'use strict';
// Owns how plans are written in JavaScript: typed builders, and every form that is taken for a plan. Spelling only: what a
// plan may say, and every default of it, is the engine's.

const { readFileSync } = require('node:fs');
const { PlanError } = require('./problems.cjs');

const given = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const shown = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value));
const isFields = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

// <builders> written by core/tests/builders.rs, FAULTLAYER_BLESS=1
/** What each builder of a fault takes before its options: the fields of its kind, by position. */
const KINDS = {
  latency: ['delay_ms'],
  error: ['type', 'message'],
  response: ['answer'],
  payload: ['payload'],
  exit: ['code'],
  timeout: [],
  corrupt: [],
  corrupt_body: ['body'],
  disk: ['size_mib'],
  memory: ['size_mib'],
  cpu: ['duration_ms'],
  aws_call: ['target', 'error'],
  network: ['target', 'effect'],
};
/** The kinds of the builders that have names of their own. */
const KIND_OF = { payload: 'response', corrupt_body: 'corrupt' };
// </builders>
const DELAYS = { uniform: ['min', 'max'], normal: ['mean', 'std_dev', 'max'], pareto: ['scale', 'shape', 'max'] };

/** The arguments by name. What has no name would be dropped in silence, so it is refused. */
function named(builder, names, args) {
  const other = args[names.length];
  if (args.length <= names.length) return Object.fromEntries(names.map((name, index) => [name, args[index]]));
  throw new PlanError(`${builder}: expected at most ${names.length} arguments, got \`${shown(other)}\` too`);
}

/** The builder's last argument. */
function fields(builder, options) {
  if (options === undefined || isFields(options)) return options ?? {};
  throw new PlanError(`${builder}: options: expected an object such as \`{ rate: 0.1 }\`, got \`${shown(options)}\``);
}

function builder(name, names) {
  return (...args) => {
    const { options, answer, ...own } = named(`fault.${name}`, [...names, 'options'], args);
    const kind = KIND_OF[name] ?? name;
    const rest = { ...fields(`fault.${name}`, answer), ...fields(`fault.${name}`, options) };
    return Object.freeze({ kind, ...given({ ...own, ...rest }) });
  };
}

const each = (table, make) =>
  Object.freeze(Object.fromEntries(Object.entries(table).map(([name, names]) => [name, make(name, names)])));

/** One fault of a plan, by kind. `options`: id, rate, match, limit, sample_by; when, after_bytes, after_ms where there is a when. */
const fault = each(KINDS, builder);

/** Delays by distribution, in milliseconds. */
const delay = Object.freeze({
  ...each(DELAYS, (name, names) => (...args) => ({ [name]: named(`delay.${name}`, names, args) })),
  percentiles: (...args) => named('delay.percentiles', ['percentiles'], args),
});

/** A rate that changes at seconds after `starts_at`: `steps([0, 0.01], [300, 0.1])`. */
const steps = (...points) => ({
  steps: points.map((point) => {
    if (Array.isArray(point)) return named('steps', ['at_s', 'rate'], point);
    throw new PlanError(`steps: expected pairs such as \`[0, 0.1]\`, got \`${shown(point)}\``);
  }),
});

/** A whole plan: a fault or faults, and the plan's own fields. It never expires unless told so. */
function plan(...args) {
  const { faults, options } = named('plan', ['faults', 'options'], args);
  const own = fields('plan', options);
  if ('kind' in own)
    throw new PlanError("plan: options: expected the plan's own fields, got a fault: several go into a list");
  const list = Array.isArray(faults) ? faults : [faults];
  return { version: 1, expires_at: 'never', ...given(own), faults: identified(list) };
}

/** Faults with the id and the rate that a builder need not say: its kind, numbered from the second on, and always. */
function identified(faults) {
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

/** The JSON text of whatever is taken for a plan: an object, JSON text, a file, a fault or a list of faults. */
function toJson(given) {
  if (given instanceof URL) return contents(given);
  if (typeof given === 'string') return /^\s*[{[]/.test(given) ? given : contents(given.replace(/^file:(?!\/\/)/, ''));
  if (Array.isArray(given)) return text(plan(given));
  if (isFields(given)) return text('kind' in given && !('faults' in given) ? plan(given) : given);
  throw new PlanError(
    `plan: expected an object, JSON text, the path of a file, a fault or a list of faults, got \`${String(given)}\``,
  );
}

function contents(file) {
  try {
    return readFileSync(String(file).startsWith('file://') ? new URL(file) : file, 'utf8');
  } catch (error) {
    throw new PlanError(`plan: expected a readable file, got \`${file}\` (${error.message})`, 'plan_unreadable');
  }
}

function text(fields) {
  try {
    return JSON.stringify(fields);
  } catch (error) {
    throw new PlanError(`plan: expected what JSON can say (${error.message})`);
  }
}

module.exports = { fault, delay, steps, plan, toJson };

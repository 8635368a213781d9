// What the layer gives the client as the function's handler. Finds the original as the running client would have found it,
// error for error, asks the engine whether anything can ever fire, and wraps if so. Fails open: whatever goes wrong on our
// side, the original handler runs untouched.
//
// The client is one bundled file without exports, so its two generations' rules are written out here. Raw errors of the
// user's module escape from here to the client, which wraps them itself, as it does without us.
//
// Every cold start pays for this file, so it is one flat script: a function costs some 40 µs on its first call, a kilobyte of
// text 30, a file that `require` finds 300, a module of Node's own 300 if it is imported. What only a failure of init needs is
// in failures.cjs; packing puts wrap.cjs and what it needs in here. After init nothing is loaded any more: the function may
// have used up all file descriptors.

const builtin = process.getBuiltinModule ?? (await import('node:module')).createRequire(import.meta.url);
const { existsSync, readFileSync } = builtin('node:fs');
const { createRequire } = builtin('node:module');
const path = builtin('node:path');
const require = (file) => createRequire(import.meta.url)(file);
const { wrap, read } = require('./wrap.cjs');
const { watch } = require('./watch.cjs');

const here = new Error('the client imports this');
const folder = import.meta.dirname ?? path.dirname(builtin('node:url').fileURLToPath(import.meta.url));
const ours = '/faultlayer/node/handler';
const name = process.env.FAULTLAYER_HANDLER;
// A wrapper that put itself there (telemetry layers do) is left alone.
if (name && process.env._HANDLER?.includes(ours)) process.env._HANDLER = name;
if (!name) throw require('./failures.cjs').unset();
if (name.includes(ours)) throw require('./failures.cjs').itself(name);

// The clients up to Node 22, of the third generation, register an exit listener before they load the handler.
const thirdGeneration = typeof globalThis[Symbol.for('aws.lambda.beforeExit')] === 'function';

// The root of the module, the module (up to the first dot of the base name) and the path of the export in it.
const base = path.basename(name);
const dot = base.indexOf('.');
if (name.includes('..') || dot < 0 || base.includes('\n', dot))
  throw require('./failures.cjs').malformed(name, thirdGeneration);
const root = name.substring(0, name.indexOf(base));
const module = base.slice(0, dot);
const nested = base.slice(dot + 1).split('.');

// Lambda starts the client itself: this is its file. Where another script started it, failures.cjs tells.
const asker = path.isAbsolute(process.argv[1] ?? '') ? process.argv[1] : path.join(folder, 'handler.mjs');
const asked = createRequire(asker);
const taskRoot = process.env.LAMBDA_TASK_ROOT || process.cwd();
const below = thirdGeneration ? root : root.replace(/\/$/, '');
const file = path.resolve(taskRoot, below, module);
// What is imported runs at the first `await`, not before: while it is being read, the engine is loaded. What is required runs
// at once, so that it comes after: the engine wants the log as it is before the function touches it.
let loaded;
const extension = thirdGeneration ? undefined : ['', '.js', '.mjs', '.cjs'].find((each) => existsSync(file + each));
if (extension !== undefined) loaded = import(file + extension);

let gate;
try {
  const addon = { exports: {} };
  // Not by `require`, which would look for the file first.
  process.dlopen(addon, path.join(folder, 'faultlayer.node'));
  const engine = addon.exports;
  const number = engine.layer();
  if (typeof number === 'number') {
    const isLive = engine.isLive(number);
    let state = read(engine, number, isLive);
    gate = {
      engine,
      owners: undefined,
      host: () => state,
      renew: () => (state = read(engine, number, isLive)),
      // A plan from elsewhere is read beside the import, and waited for behind it, but not for long.
      ready: isLive ? () => gate.renew(engine.settle(number)) : undefined,
      requestId: (context) => context.awsRequestId,
      // The engine says it once an environment.
      trouble: (error) => engine.report(String(error?.message ?? error)),
      // In a worker thread `process.exit` ends that thread alone; a crash takes the environment down. Asked only now:
      // loading that module costs a cold start almost two milliseconds.
      exit: (code) => (builtin('node:worker_threads').isMainThread ? process.exit(code) : engine.crash(code)),
    };
    if (state.hitsCalls) watch(gate, keep('./calls.cjs'));
  }
} catch (error) {
  try {
    require('./failures.cjs').record(error);
  } catch {
    // Nobody is left to be told.
  }
}

try {
  if (thirdGeneration) {
    if (existsSync(file)) loaded = asked(file);
    if (!loaded && existsSync(`${file}.js`)) loaded = isModuleFolder() ? import(`${file}.js`) : asked(`${file}.js`);
    if (!loaded && existsSync(`${file}.mjs`)) loaded = import(`${file}.mjs`);
    if (!loaded && existsSync(`${file}.cjs`)) loaded = asked(`${file}.cjs`);
  }
  loaded ||= asked(asked.resolve(module, { paths: [taskRoot, thirdGeneration ? root : path.join(taskRoot, below)] }));
  loaded = await loaded;
} catch (error) {
  throw require('./failures.cjs').asWithoutLayer(error, folder, asker, here);
}

const descend = thirdGeneration
  ? (at, key) => at && at[key]
  : (at, key) => (at && typeof at === 'object' ? at[key] : undefined);
let original = nested.reduce(descend, loaded);
if (!original && !thirdGeneration && typeof loaded === 'object' && loaded !== null && 'default' in loaded) {
  original = nested.reduce(descend, loaded.default);
}
if (typeof original !== 'function') throw require('./failures.cjs').notFound(name, original, thirdGeneration);
let outer = original;
try {
  gate?.ready?.();
  if (gate) outer = wrap(original, gate);
} catch (error) {
  gate.trouble(error);
}

/** What a file of ours gives for `given`, read now and compiled when asked for. */
function keep(name, given) {
  const filename = path.join(folder, name);
  const text = readFileSync(filename, 'utf8');
  return () => {
    const module = {};
    builtin('node:vm').compileFunction(text, ['module', 'require'], { filename })(module, builtin);
    return module.exports(given);
  };
}

/** Whether the nearest package.json says that `.js` is an ES module, as the third generation asks it. */
function isModuleFolder() {
  for (let at = path.dirname(file); !at.endsWith('/node_modules'); at = path.resolve(at, '..')) {
    const manifest = path.join(at, '/package.json');
    if (existsSync(manifest)) {
      try {
        const found = JSON.parse(readFileSync(manifest));
        if (found) return found.type === 'module';
      } catch (error) {
        console.warn(`${manifest} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (at === '/') return false;
  }
  return false;
}

/** The function's own handler where nothing can ever fire, else the wrapper in front of it. */
export { outer as handler };

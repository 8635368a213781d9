'use strict';
// Owns how the layer finds the function's own handler: as the running client would have found it, error for error.
// The client is one bundled file without exports, so its two generations' rules are written out here. Raw errors (a syntax
// error, a missing module) are let through: the client that imports the layer wraps them itself, as it does without us.
// Does not own: what is wrapped around the handler.

const { existsSync, readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { fileURLToPath } = require('node:url');

const LAYER = '/faultlayer/node/handler';

class HandlerNotFound extends Error {}
HandlerNotFound.prototype.name = 'Runtime.HandlerNotFound';
class MalformedHandlerName extends Error {}
MalformedHandlerName.prototype.name = 'Runtime.MalformedHandlerName';

/** 3 for the clients up to Node 22 (they register an exit listener before they load the handler), 4 for those after. */
function generation() {
  return typeof globalThis[Symbol.for('aws.lambda.beforeExit')] === 'function' ? 3 : 4;
}

/**
 * The client's own file, so that "Cannot find module" names the same requiring file as without the layer.
 * `stack` is one taken while the client imports the layer; the first file in it that is not the layer's is the client's.
 */
function clientFile(stack, own) {
  for (const line of String(stack).split('\n').slice(1)) {
    const at = /(file:\/\/.+?):\d+:\d+\)?$/.exec(line);
    if (at && at[1] !== own) return at[1];
  }
  return process.argv[1] || own;
}

/** Module root, module name (up to the first dot of the base name) and the path of the export below it. */
function parts(name) {
  if (name.includes('..')) {
    throw new MalformedHandlerName(
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const base = path.basename(name);
  const dot = base.indexOf('.');
  if (dot < 0 || base.includes('\n', dot)) throw new MalformedHandlerName('Bad handler');
  return { root: name.substring(0, name.indexOf(base)), module: base.slice(0, dot), nested: base.slice(dot + 1).split('.') };
}

/** Whether the nearest package.json above `folder` says that `.js` is an ES module. */
function isModuleFolder(folder) {
  for (let at = folder; !at.endsWith('/node_modules'); at = path.resolve(at, '..')) {
    const file = path.join(at, '/package.json');
    if (existsSync(file)) {
      try {
        const found = JSON.parse(readFileSync(file));
        if (found) return found.type === 'module';
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (at === '/') return false;
  }
  return false;
}

/** Imports as the client would: an error that names the importing file names the client's. */
async function imported(file, client) {
  try {
    return await import(file);
  } catch (error) {
    const shown = client.startsWith('file:') ? fileURLToPath(client) : client;
    for (const field of ['message', 'stack']) {
      if (typeof error?.[field] === 'string' && error[field].includes(`imported from ${__filename}`)) {
        error[field] = error[field].replaceAll(`imported from ${__filename}`, `imported from ${shown}`);
      }
    }
    throw error;
  }
}

async function load3(require, client, taskRoot, { root, module }) {
  const file = path.resolve(taskRoot, root, module);
  const required = (name) => (existsSync(name) ? require(name) : undefined);
  const asModule = async (name) => (existsSync(name) ? imported(name, client) : undefined);
  const plain = required(file);
  if (plain) return plain;
  const esm = existsSync(`${file}.js`) && isModuleFolder(path.dirname(file));
  const loaded =
    (esm ? await asModule(`${file}.js`) : required(`${file}.js`)) ||
    (await asModule(`${file}.mjs`)) ||
    required(`${file}.cjs`);
  return loaded || require(require.resolve(module, { paths: [taskRoot, root] }));
}

async function load4(require, client, taskRoot, { root, module }) {
  const folder = root.replace(/\/$/, '');
  const file = path.resolve(taskRoot, folder, module);
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const found = existsSync(file + extension) ? await imported(file + extension, client) : undefined;
    if (found) return found;
  }
  return require(require.resolve(module, { paths: [taskRoot, path.join(taskRoot, folder)] }));
}

const descend3 = (from, keys) => keys.reduce((at, key) => at && at[key], from);
const descend4 = (from, keys) => keys.reduce((at, key) => (at && typeof at === 'object' ? at[key] : undefined), from);

/**
 * The function that `name` names below `taskRoot`. `client` is the file that modules are required from.
 * Throws what the client would throw, but for the wrapping that the client adds itself.
 */
async function resolve(name, taskRoot, client, clientGeneration = generation()) {
  if (!name) {
    throw new Error(
      "faultlayer: `FAULTLAYER_HANDLER` is not set: set it to the function's own handler, such as `index.handler`",
    );
  }
  if (name.includes(LAYER)) {
    throw new Error(
      `faultlayer: \`FAULTLAYER_HANDLER\` is the layer itself: expected the function's own handler, got \`${name}\``,
    );
  }
  const asked = parts(name);
  const require = createRequire(client);
  let handler;
  if (clientGeneration === 3) {
    handler = descend3(await load3(require, client, taskRoot, asked), asked.nested);
  } else {
    const module = await load4(require, client, taskRoot, asked);
    handler = descend4(module, asked.nested);
    if (!handler && typeof module === 'object' && module !== null && 'default' in module) {
      handler = descend4(module.default, asked.nested);
    }
  }
  if (!handler) throw new HandlerNotFound(`${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw new HandlerNotFound(`${name} is not a function`);
  return handler;
}

module.exports = { LAYER, resolve, clientFile, generation };

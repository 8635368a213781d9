// The last that NODE_OPTIONS preloads. A script that starts Node can have added more behind it (OpenTelemetry's does): those
// are loaded here, where Node's own turn finds them done, and then the client gets to see the layer's handler.

import { pathToFileURL } from 'node:url';
import back from './first.cjs';

/** The words of NODE_OPTIONS, as Node parts them. */
const words = (text) =>
  (text.match(/(?:"(?:\\.|[^"\\])*"|[^ "])+/g) ?? []).map((word) =>
    word.replace(/"((?:\\.|[^"\\])*)"/g, (_, quoted) => quoted.replace(/\\(.)/g, '$1')),
  );

/** What is imported from the command line: as Node resolves it, a path against the working folder. */
const place = (name) => (/^\.{0,2}\//.test(name) ? new URL(name, pathToFileURL('./')).href : name);

if (back) {
  const all = words(process.env.NODE_OPTIONS ?? '');
  const rest = all.slice(all.findIndex((word) => word.endsWith('/faultlayer/node/last.mjs')) + 1).concat(process.execArgv);
  for (let index = 0; index < rest.length; index += 1) {
    const [option, ...value] = rest[index].split('=');
    if (option !== '--import') continue;
    const name = place(value.length > 0 ? value.join('=') : (rest[(index += 1)] ?? ''));
    // A package's name alone stands for what its folder has, which cannot be asked for from here.
    if (!/^[a-z]+:/.test(name)) continue;
    // Where it fails, it fails again in Node's own turn.
    await import(name).catch(() => {});
  }
  back();
}

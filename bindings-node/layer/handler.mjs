// What the layer gives the client as the function's handler. An ES module, because resolving the original may have to wait
// (a top-level await), and because raw errors of the user's module escape from here to the client, which wraps them itself.

import { createRequire } from 'node:module';

const { stack } = new Error('faultlayer');
const { open } = createRequire(import.meta.url)('./layer.cjs');

/** The function's own handler where nothing can ever fire, else the wrapper in front of it. */
export const handler = await open(stack, import.meta.url);

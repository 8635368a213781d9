'use strict';
// Owns finding the engine's addon: beside this file in the layer, under native/ in the package.

const FILES = [`./faultlayer.node`, `../native/faultlayer-${process.platform}-${process.arch}.node`];

let loaded;

/** The addon. Throws with every place that was tried. */
function native() {
  if (loaded) return loaded;
  const tried = [];
  for (const file of FILES) {
    try {
      loaded = require(file);
      return loaded;
    } catch (error) {
      tried.push(`${file}: ${error.message.split('\n', 1)[0]}`);
    }
  }
  throw new Error(`the engine cannot be loaded (${tried.join('; ')})`);
}

module.exports = { native };
